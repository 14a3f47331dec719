export interface SeededRandom {
  readonly seed: number;
  /** The next number in [0, 1). */
  (): number;
  /** A whole number in [low, high], both included. */
  int(low: number, high: number): number;
  /** One of the items. */
  pick<T>(items: readonly T[]): T;
  /** Normally distributed numbers. */
  normal(length: number, mean?: number, deviation?: number): Float32Array;
  /** Uniformly distributed numbers in [low, high). */
  uniform(length: number, low?: number, high?: number): Float32Array;
}

/** A reproducible source of numbers for tests (mulberry32). Not for cryptography. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  // Box-Muller; 1 - next() is never zero, so the logarithm is finite.
  const gauss = (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return Object.assign(next, {
    seed,
    int: (low: number, high: number) => low + Math.floor(next() * (high - low + 1)),
    pick: <T>(items: readonly T[]): T => {
      if (items.length === 0) throw new Error('pick: there is nothing to pick from.');
      return items[Math.floor(next() * items.length)] as T;
    },
    normal: (length: number, mean = 0, deviation = 1) =>
      Float32Array.from({ length }, () => mean + deviation * gauss()),
    uniform: (length: number, low = 0, high = 1) =>
      Float32Array.from({ length }, () => low + (high - low) * next()),
  });
}
