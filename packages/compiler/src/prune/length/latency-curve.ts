/** How long the answer to an input of so many tokens takes. */
export interface LatencyPoint {
  readonly tokens: number;
  readonly ms: number;
}

/** Rows of the engine's blocks come in eights. */
export const LENGTH_STEP = 8;

const POINTS = 8;

/**
 * Lengths to measure answers at, ascending: at most eight, from 8 tokens to `limit`, each about the same factor above the one before.
 * All but the last, which is the limit itself, are multiples of 8.
 */
export function curveLengths(limit: number): readonly number[] {
  const steps = limit / LENGTH_STEP;
  const spread = Array.from(
    { length: POINTS },
    (_, i) => LENGTH_STEP * Math.round(steps ** (i / (POINTS - 1))),
  );
  return [...new Set([...spread.filter((tokens) => tokens < limit), limit])];
}

/** Milliseconds at a length: on a straight line between those that were measured, the nearest one's beyond them. */
export function timeAt(curve: readonly LatencyPoint[], tokens: number): number {
  const above = curve.find((point) => point.tokens >= tokens);
  const below = curve.findLast((point) => point.tokens <= tokens);
  if (above === undefined || below === undefined || above === below) return (above ?? below)?.ms ?? NaN;
  return below.ms + ((above.ms - below.ms) * (tokens - below.tokens)) / (above.tokens - below.tokens);
}
