import { latencyStats, type LatencyPoint, type Runner } from '@edgewise/compiler';

export interface MeasureCurveOptions {
  readonly runner: Runner<string>;
  /** Folder of the package. */
  readonly package: string;
  /** A text for each number of tokens, ascending; at least one. */
  readonly texts: ReadonlyMap<number, string>;
  readonly signal: AbortSignal;
}

/** Untimed, of the shorter half of the texts: V8 needs some to tier up. */
const WARM_UP_RUNS = 16;
/** Rounds are as many as take about so long, within bounds. */
const TIMED_MS = 1500;
const [LEAST_ROUNDS, MOST_ROUNDS] = [3, 25];

/** Median time of the answer to each text. The lengths take turns, so that what slows the machine for a while slows all. */
export async function measureCurve({
  runner,
  package: folder,
  texts,
  signal,
}: MeasureCurveOptions): Promise<readonly LatencyPoint[]> {
  const inputs = [...texts.values()].map((text) => ({ text }));
  const [first] = inputs;
  if (!first) throw new RangeError('measureCurve: there are no texts.');
  const session = await runner.open(folder, { first, signal });
  try {
    const short = inputs.slice(0, Math.ceil(inputs.length / 2));
    await session.run(Array.from({ length: WARM_UP_RUNS }, (_, i) => short[i % short.length] ?? first));
    const rounds: (readonly number[])[] = [];
    for (
      let spentMs = 0;
      rounds.length < LEAST_ROUNDS || (spentMs < TIMED_MS && rounds.length < MOST_ROUNDS);
    ) {
      signal.throwIfAborted();
      // What comes first after a pause waits until threads and processes are awake.
      const [, ...outputs] = await session.run([first, ...inputs]);
      const times = outputs.map(({ latencyMs }) => latencyMs);
      rounds.push(times);
      spentMs += times.reduce((sum, ms) => sum + ms, 0);
    }
    return [...texts.keys()].map((tokens, i) => ({
      tokens,
      ms: latencyStats(rounds.map((each) => each[i] ?? NaN)).p50,
    }));
  } finally {
    await session.close();
  }
}
