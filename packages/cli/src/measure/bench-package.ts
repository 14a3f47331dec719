import { latencyStats, type LatencyStats, type Runner, type RunnerInput } from '@edgewise/compiler';

export interface BenchResult {
  readonly runner: string;
  readonly runs: number;
  readonly latencyMs: LatencyStats;
  readonly loadMs: number;
  readonly firstMs: number;
  readonly peakMemoryBytes: number;
}

export interface BenchOptions {
  readonly runner: Runner<string>;
  readonly folder: string;
  /** At least one; run in turn. */
  readonly inputs: readonly RunnerInput[];
  readonly runs: number;
  readonly signal: AbortSignal;
}

const WARM_UP_RUNS = 16;

/** Times one input after the other. */
export async function benchPackage({
  runner,
  folder,
  inputs: given,
  runs,
  signal,
}: BenchOptions): Promise<BenchResult> {
  const [first] = given;
  if (!first) throw new RangeError('benchPackage: there are no inputs.');
  const inputs = Array.from({ length: runs }, (_, i) => given[i % given.length] ?? first);
  const session = await runner.open(folder, { first, signal });
  try {
    await session.run(inputs.slice(0, WARM_UP_RUNS));
    const outputs = await session.run(inputs);
    return {
      runner: runner.name,
      runs,
      latencyMs: latencyStats(outputs.map(({ latencyMs }) => latencyMs)),
      loadMs: session.loadMs,
      firstMs: session.firstMs,
      peakMemoryBytes: await session.peakMemoryBytes(),
    };
  } finally {
    await session.close();
  }
}
