import { describe, expect, it } from 'vitest';
import { evaluateCandidate } from './evaluate-candidate.ts';
import { METRICS } from './metrics.ts';
import type { Runner, RunnerInput } from './runner.ts';

const textOf = (input: RunnerInput): string => ('text' in input ? input.text : input.file);

/** A model that says class 1 when the text holds a plus; its first call and its length are its times. */
function plusRunner(log: string[]): Runner<string> {
  return {
    name: 'plus',
    open: (artifact, { first }) => {
      log.push(`open ${artifact} ${textOf(first)}`);
      return Promise.resolve({
        loadMs: 5,
        firstMs: 2,
        run: (inputs) => {
          log.push(`run ${inputs.length}`);
          return Promise.resolve(
            inputs.map((input) => {
              const text = textOf(input);
              if (text === 'crash') throw new Error('crashed');
              return { scores: text.includes('+') ? [0, 1] : [1, 0], latencyMs: text.length };
            }),
          );
        },
        peakMemoryBytes: () => Promise.resolve(77),
        close: () => Promise.resolve(void log.push('close')),
      });
    },
  };
}

const examples = [
  { text: '+', gold: 1 },
  { text: 'no', gold: 0 },
  { text: 'odd', gold: 1 },
];
const downloadBytes = { raw: 10, brotli: 5 };

describe('evaluateCandidate', () => {
  it('measures everything and closes', async () => {
    const log: string[] = [];
    const evaluation = await evaluateCandidate({
      runner: plusRunner(log),
      artifact: 'a',
      examples,
      kind: 'class',
      metric: METRICS.accuracy,
      downloadBytes,
      baseline: [1, 0, 1],
    });
    expect(log).toEqual(['open a +', 'run 16', 'run 3', 'close']);
    expect(evaluation).toMatchObject({
      runner: 'plus',
      examples: 3,
      metric: { name: 'accuracy', value: 2 / 3 },
      drop: { value: 1 / 3 },
      latencyMs: { p50: 2, p95: 3 },
      coldStartMs: 7,
      peakMemoryBytes: 77,
      downloadBytes,
      predictions: [1, 0, 0],
      predictionsReused: false,
    });
    expect(evaluation.drop.low).toBeLessThan(0);
  });

  describe('with many examples', () => {
    const many = Array.from({ length: 450 }, (_, i) => ({ text: i % 2 ? '+' : 'no', gold: i % 2 }));
    const truth = many.map(({ gold }) => gold);
    const run = async (known?: readonly number[]) => {
      const log: string[] = [];
      const progress: string[] = [];
      const evaluation = await evaluateCandidate({
        runner: plusRunner(log),
        artifact: 'a',
        examples: many,
        kind: 'class',
        metric: METRICS.accuracy,
        downloadBytes,
        onProgress: (done, total) => progress.push(`${done}/${total}`),
        ...(known ? { known } : {}),
      });
      const runs = log.filter((line) => line.startsWith('run')).map((line) => Number(line.slice(4)));
      return { evaluation, examplesRun: runs.reduce((sum, count) => sum + count, -16), progress };
    };

    it('times some, runs the others after them, keeps the order', async () => {
      const { evaluation, examplesRun, progress } = await run();
      expect(examplesRun).toBe(450);
      expect(evaluation).toMatchObject({ predictions: truth, predictionsReused: false });
      expect(progress.at(-1)).toBe('450/450');
    });

    it('runs only the timed ones where the predictions are known', async () => {
      const { evaluation, examplesRun, progress } = await run(truth);
      expect(examplesRun).toBe(200);
      expect(evaluation).toMatchObject({
        metric: { value: 1 },
        latencyMs: { p95: 2 },
        predictionsReused: true,
      });
      expect(progress.at(-1)).toBe('200/200');
    });

    it.each([
      ['of another length', truth.slice(1)],
      ['that the timed ones contradict', truth.map((gold) => 1 - gold)],
    ])('does not believe known predictions %s', async (_, known) => {
      const { evaluation, examplesRun } = await run(known);
      expect(examplesRun).toBe(450);
      expect(evaluation).toMatchObject({ predictions: truth, predictionsReused: false });
    });
  });

  describe('several labels at once', () => {
    const labelled = [
      { text: '+', gold: [1] },
      { text: 'no', gold: [0, 1] },
      { text: '-', gold: [] },
    ];
    const options = {
      runner: plusRunner([]),
      artifact: 'a',
      kind: 'labels',
      examples: labelled,
      downloadBytes,
    } as const;

    it('predicts every label above the threshold', async () => {
      const { predictions, metric, drop } = await evaluateCandidate({
        ...options,
        metric: METRICS['f1-micro'],
      });
      expect(predictions).toEqual([[1], [0], [0]]);
      // 2 right, 1 forgotten, 1 wrong
      expect(metric.value).toBeCloseTo(4 / 6, 15);
      expect(metric.low).toBeLessThan(metric.value);
      expect(drop).toEqual({ value: 0, low: 0, high: 0 });
    });

    it('compares sets with the baseline', async () => {
      const baseline = [[1], [0, 1], []];
      const exact = METRICS['exact-match'];
      const { metric, drop } = await evaluateCandidate({ ...options, metric: exact, baseline });
      expect(metric.value).toBeCloseTo(1 / 3, 15);
      expect(drop.value).toBeCloseTo(2 / 3, 15);
    });

    it('knows predictions again', async () => {
      const known = [[1], [0], [0]];
      const metric = METRICS['f1-micro'];
      expect(await evaluateCandidate({ ...options, metric, known })).toMatchObject({
        predictionsReused: true,
      });
    });
  });

  it('closes after a failure and when aborted', async () => {
    const log: string[] = [];
    const options = {
      runner: plusRunner(log),
      artifact: 'a',
      kind: 'class',
      metric: METRICS.accuracy,
      downloadBytes,
    } as const;
    await expect(
      evaluateCandidate({ ...options, examples: [...examples, { text: 'crash', gold: 0 }] }),
    ).rejects.toThrow('crashed');
    expect(log.at(-1)).toBe('close');
    const signal = AbortSignal.abort();
    await expect(evaluateCandidate({ ...options, examples, signal })).rejects.toThrow('abort');
    expect(log.at(-1)).toBe('close');
  });
});
