import { LABEL_THRESHOLD } from '@edgewise/runtime/format';
import { bootstrapDrop, bootstrapMetric } from './bootstrap.ts';
import type { Answer, AnswerKind, GoldExample } from './dataset.ts';
import { clopperPearson, pairedAccuracyDrop, type Estimate } from './interval.ts';
import { latencyStats, type LatencyStats } from './latency.ts';
import { sameAnswer, type Metric, type MetricName } from './metrics.ts';
import type { Runner, RunnerOutput, RunnerSession } from './runner.ts';
import { timedExamples } from './timed-examples.ts';

/** What a device fetches: runtime, program, weights, tokenizer and manifest. */
export interface DownloadBytes {
  readonly raw: number;
  /** Each file compressed by itself, as a web server would send it. */
  readonly brotli: number;
}

/** Everything measured about one candidate. Plain data. */
export interface Evaluation {
  readonly runner: string;
  readonly examples: number;
  readonly metric: Estimate & { readonly name: MetricName };
  /** Baseline minus this candidate, on the same examples; positive is worse. */
  readonly drop: Estimate;
  readonly latencyMs: LatencyStats;
  /** Loading plus the first run. */
  readonly coldStartMs: number;
  readonly peakMemoryBytes: number;
  readonly downloadBytes: DownloadBytes;
  /** One per example. */
  readonly predictions: readonly Answer[];
  /** Whether the predictions, and with them metric and drop, are those that were known before. Times and memory never are. */
  readonly predictionsReused: boolean;
}

export interface EvaluateOptions<Artifact> {
  readonly runner: Runner<Artifact>;
  readonly artifact: Artifact;
  /** At least one. */
  readonly examples: readonly GoldExample[];
  /** What the examples' golds are, and what is made of the runner's scores. */
  readonly kind: AnswerKind;
  /** One that fits `kind`. */
  readonly metric: Metric;
  readonly downloadBytes: DownloadBytes;
  /** Candidate 0's predictions on the same examples; left out for candidate 0 itself, whose drop is 0. */
  readonly baseline?: readonly Answer[];
  /**
   * What the same artifact, runner and examples gave before. Only the timed examples are run then; where one of them
   * gives something else, all are.
   */
  readonly known?: readonly Answer[];
  readonly signal?: AbortSignal;
  /** Called with the number of examples done. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Runs that are not timed: V8 needs some to tier up, caches to fill. */
const WARM_UP_RUNS = 16;

/** Labels of a ranking that are kept: what top-5 looks at. */
const RANKED = 5;

/** Examples between two progress calls. */
const CHUNK = 32;

/**
 * Runs the examples and measures. First, after a warm-up, those that are timed (`timedExamples`), with the peak of the
 * memory; cold start is apart. Then the others, untimed, unless their predictions are known. Closes what it opened.
 */
export async function evaluateCandidate<Artifact>(options: EvaluateOptions<Artifact>): Promise<Evaluation> {
  const { examples, runner, metric, signal } = options;
  const first = examples[0];
  if (!first) throw new RangeError('evaluateCandidate: there are no examples.');
  const session = await runner.open(options.artifact, { first, ...(signal ? { signal } : {}) });
  try {
    await session.run(Array.from({ length: WARM_UP_RUNS }, (_, i) => examples[i % examples.length] ?? first));
    const timed = timedExamples(examples);
    const outputs = await runAll(session, options, timed);
    const peakMemoryBytes = await session.peakMemoryBytes();
    const { predictions, reused } = await predictAll(session, options, timed, outputs);
    const golds = examples.map(({ gold }) => gold);
    return {
      runner: runner.name,
      examples: examples.length,
      metric: { name: metric.name, ...estimate(metric, predictions, golds) },
      drop: estimateDrop(metric, options.baseline ?? predictions, predictions, golds),
      latencyMs: latencyStats(outputs.map(({ latencyMs }) => latencyMs)),
      coldStartMs: session.loadMs + session.firstMs,
      peakMemoryBytes,
      downloadBytes: options.downloadBytes,
      predictions,
      predictionsReused: reused,
    };
  } finally {
    await session.close();
  }
}

/** What an artifact answers to the examples; nothing is timed. Closes what it opened. */
export async function predictExamples<Artifact>(
  options: Pick<EvaluateOptions<Artifact>, 'runner' | 'artifact' | 'examples' | 'kind' | 'signal'>,
): Promise<readonly Answer[]> {
  const { examples, runner, kind, signal } = options;
  const first = examples[0];
  if (!first) throw new RangeError('predictExamples: there are no examples.');
  const session = await runner.open(options.artifact, { first, ...(signal ? { signal } : {}) });
  try {
    const outputs = await runAll(session, options, [...examples.keys()]);
    return outputs.map((output) => predict(kind, output));
  } finally {
    await session.close();
  }
}

/** The metric with its interval: exact for shares, bootstrap for the others. */
export function estimate(metric: Metric, predictions: readonly Answer[], golds: readonly Answer[]): Estimate {
  const right = rightOnes(metric, predictions, golds);
  if (right === undefined) return bootstrapMetric(metric, predictions, golds);
  return clopperPearson(right.filter(Boolean).length, golds.length);
}

/** The drop with its interval: `pairedAccuracyDrop` for shares, paired bootstrap for the others. */
export function estimateDrop(
  metric: Metric,
  baseline: readonly Answer[],
  candidate: readonly Answer[],
  golds: readonly Answer[],
): Estimate {
  // A candidate compared with itself: nothing was estimated.
  if (baseline === candidate) return { value: 0, low: 0, high: 0 };
  const before = rightOnes(metric, baseline, golds);
  const after = rightOnes(metric, candidate, golds);
  if (!before || !after) return bootstrapDrop(metric, baseline, candidate, golds);
  return pairedAccuracyDrop(before, after);
}

/** Which predictions are right; undefined for a metric that is no share of examples. */
function rightOnes(
  { isRight }: Metric,
  predictions: readonly Answer[],
  golds: readonly Answer[],
): readonly boolean[] | undefined {
  return isRight && golds.map((gold, i) => isRight(predictions[i], gold));
}

/** Every example's prediction: the known ones where the timed examples agree with them, else by running the others too. */
async function predictAll<Artifact>(
  session: RunnerSession,
  options: EvaluateOptions<Artifact>,
  timed: readonly number[],
  outputs: readonly RunnerOutput[],
): Promise<{ readonly predictions: readonly Answer[]; readonly reused: boolean }> {
  const { examples, known, kind } = options;
  const predictions = new Map(timed.map((position, i) => [position, predict(kind, outputs[i])]));
  const agrees = [...predictions].every(([position, answer]) => sameAnswer(known?.[position], answer));
  if (known?.length === examples.length && agrees) return { predictions: known, reused: true };
  const others = [...examples.keys()].filter((position) => !predictions.has(position));
  const rest = await runAll(session, options, others, timed.length);
  others.forEach((position, i) => predictions.set(position, predict(kind, rest[i])));
  return { predictions: examples.map((_, position) => predictions.get(position) ?? NaN), reused: false };
}

function predict(kind: AnswerKind, output: RunnerOutput | undefined): Answer {
  const scores = output?.scores ?? [];
  switch (kind) {
    case 'class':
      return argmax(scores);
    case 'ranking':
      return best(scores, RANKED);
    case 'score':
      return scores[0] ?? NaN;
    case 'labels':
      return scores.flatMap((score, label) => (score > LABEL_THRESHOLD ? label : []));
    case 'boxes':
      return { boxes: output?.boxes ?? [] };
  }
}

/** Runs the examples at these positions, `done` others having been run before. */
async function runAll<Artifact>(
  session: RunnerSession,
  {
    examples,
    known,
    signal,
    onProgress,
  }: Pick<EvaluateOptions<Artifact>, 'examples' | 'known' | 'signal' | 'onProgress'>,
  positions: readonly number[],
  done = 0,
): Promise<readonly RunnerOutput[]> {
  const outputs: RunnerOutput[] = [];
  const total = done === 0 && known ? positions.length : examples.length;
  for (let start = 0; start < positions.length; start += CHUNK) {
    signal?.throwIfAborted();
    const chunk = positions.slice(start, start + CHUNK).flatMap((position) => examples[position] ?? []);
    outputs.push(...(await session.run(chunk)));
    onProgress?.(done + outputs.length, total);
  }
  return outputs;
}

function argmax(scores: readonly number[]): number {
  return scores.reduce((best, score, index) => (score > (scores[best] ?? -Infinity) ? index : best), 0);
}

/** Indices of the highest scores, best first; of equal ones the lower index. */
function best(scores: readonly number[], count: number): readonly number[] {
  return [...scores.keys()].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0)).slice(0, count);
}
