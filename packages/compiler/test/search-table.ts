import type { Evaluation } from '../src/evaluate/index.ts';
import type { Recipe, SearchOptions } from '../src/search/index.ts';

// A search in which candidates are rows of a table.

export function evaluation(size: number, p50: number, metric: number, drop = 0): Evaluation {
  return {
    runner: 'table',
    examples: 4,
    metric: { name: 'accuracy', value: metric, low: metric, high: metric },
    drop: { value: drop, low: drop, high: drop },
    latencyMs: { p50, p95: 2 * p50 },
    coldStartMs: 1,
    peakMemoryBytes: 10 * size,
    downloadBytes: { raw: 2 * size, brotli: size },
    predictions: [1, 0],
    predictionsReused: false,
  };
}

export const TABLE: Readonly<Record<string, Evaluation>> = {
  original: evaluation(1000, 5, 0.8),
  float: evaluation(900, 4, 0.8),
  int8: evaluation(300, 2, 0.79, 0.01),
  slow8: evaluation(301, 3, 0.78, 0.02),
  int4: evaluation(200, 2.5, 0.75, 0.05),
};
export const recipes: readonly Recipe[] = Object.keys(TABLE).map((name) => ({ name, steps: [] }));
export const contenders = Object.entries(TABLE)
  .slice(1)
  .map(([name, each]) => ({ name, evaluation: each }));

export function table(log: string[], more: Partial<SearchOptions<string>> = {}): SearchOptions<string> {
  return {
    recipes,
    budget: { drop: 0.01 },
    build: ({ name }) => {
      log.push(`build ${name}`);
      return Promise.resolve({ artifact: `<${name}>`, contentHash: name, shippable: name !== 'original' });
    },
    measure: (_, { recipe: { name }, baseline, known }) => {
      const given = known ? `, knowing ${known.map(Number).join(' ')}` : '';
      log.push(`measure ${name} against ${baseline?.metric.value ?? 'nothing'}${given}`);
      return Promise.resolve({
        ...(TABLE[name] ?? evaluation(0, 0, 0)),
        predictionsReused: known !== undefined,
      });
    },
    ...more,
  };
}
