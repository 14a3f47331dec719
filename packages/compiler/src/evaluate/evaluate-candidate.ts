import { bootstrapDrop, bootstrapMetric } from './bootstrap.ts';
import type { GoldExample } from './dataset.ts';
import { clopperPearson, pairedAccuracyDrop, type Estimate } from './interval.ts';
import { latencyStats, type LatencyStats } from './latency.ts';
import { correct, type Metric, type MetricName } from './metrics.ts';
import type { Runner, RunnerOutput, RunnerSession } from './runner.ts';

/** What a device fetches: runtime, program, weights, tokenizer and manifest. */
export interface DownloadBytes {
  readonly raw: number;
  /** Each file compressed by itself, as a web server would send it. */
  readonly brotli: number;
}

/** Everything measured about one candidate. Plain data: it is cached and reported as JSON. */
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
  /** Class index or score per example. */
  readonly predictions: readonly number[];
}

export interface EvaluateOptions<Artifact> {
  readonly runner: Runner<Artifact>;
  readonly artifact: Artifact;
  /** At least one. */
  readonly examples: readonly GoldExample[];
  readonly metric: Metric;
  readonly downloadBytes: DownloadBytes;
  /** Candidate 0's predictions on the same examples; left out for candidate 0 itself, whose drop is 0. */
  readonly baseline?: readonly number[];
  readonly signal?: AbortSignal;
  /** Called with the number of examples done. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Runs that are not timed: V8 needs some to tier up, caches to fill. */
const WARM_UP_RUNS = 16;

/** Examples between two progress calls. */
const CHUNK = 32;

/** Runs every example once and measures. Latency leaves out a warm-up; cold start is apart. Closes what it opened. */
export async function evaluateCandidate<Artifact>(options: EvaluateOptions<Artifact>): Promise<Evaluation> {
  const { examples, runner, metric, signal } = options;
  const first = examples[0];
  if (!first) throw new RangeError('evaluateCandidate: there are no examples.');
  const session = await runner.open(options.artifact, { first, ...(signal ? { signal } : {}) });
  try {
    await session.run(Array.from({ length: WARM_UP_RUNS }, (_, i) => examples[i % examples.length] ?? first));
    const outputs = await runAll(session, options);
    const golds = examples.map(({ gold }) => gold);
    const predictions = outputs.map(({ scores }) =>
      metric.on === 'class' ? argmax(scores) : (scores[0] ?? NaN),
    );
    return {
      runner: runner.name,
      examples: examples.length,
      metric: { name: metric.name, ...estimate(metric, predictions, golds) },
      drop: estimateDrop(metric, options.baseline ?? predictions, predictions, golds),
      latencyMs: latencyStats(outputs.map(({ latencyMs }) => latencyMs)),
      coldStartMs: session.loadMs + session.firstMs,
      peakMemoryBytes: await session.peakMemoryBytes(),
      downloadBytes: options.downloadBytes,
      predictions,
    };
  } finally {
    await session.close();
  }
}

/** The metric with its interval: exact for accuracy, bootstrap for the others. */
export function estimate(metric: Metric, predictions: readonly number[], golds: readonly number[]): Estimate {
  if (metric.name !== 'accuracy') return bootstrapMetric(metric, predictions, golds);
  const hits = correct(predictions, golds).filter(Boolean).length;
  return clopperPearson(hits, golds.length);
}

/** The drop with its interval: `pairedAccuracyDrop` for accuracy, paired bootstrap for the others. */
export function estimateDrop(
  metric: Metric,
  baseline: readonly number[],
  candidate: readonly number[],
  golds: readonly number[],
): Estimate {
  // A candidate compared with itself: nothing was estimated.
  if (baseline === candidate) return { value: 0, low: 0, high: 0 };
  if (metric.name !== 'accuracy') return bootstrapDrop(metric, baseline, candidate, golds);
  return pairedAccuracyDrop(correct(baseline, golds), correct(candidate, golds));
}

async function runAll<Artifact>(
  session: RunnerSession,
  { examples, signal, onProgress }: EvaluateOptions<Artifact>,
): Promise<readonly RunnerOutput[]> {
  const outputs: RunnerOutput[] = [];
  for (let start = 0; start < examples.length; start += CHUNK) {
    signal?.throwIfAborted();
    outputs.push(...(await session.run(examples.slice(start, start + CHUNK))));
    onProgress?.(outputs.length, examples.length);
  }
  return outputs;
}

function argmax(scores: readonly number[]): number {
  return scores.reduce((best, score, index) => (score > (scores[best] ?? -Infinity) ? index : best), 0);
}
