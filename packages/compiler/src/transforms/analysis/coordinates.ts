import type { Shape } from '../../ir/index.ts';
import type { Index } from './index-arithmetic.ts';

/** One symbol per axis (`at.0`, `at.1`, …), 0 where the extent is 1; unknown extents stay unbounded. */
export function coordinatesOf(shape: Shape): { at: Index[]; coordinates: ReadonlyMap<string, Index> } {
  const at = shape.map((extent, axis) => (extent === 1 ? 0 : `at.${axis}`));
  const coordinates = new Map<string, Index>();
  for (const [axis, extent] of shape.entries())
    if (extent !== null && extent !== 1) coordinates.set(`at.${axis}`, extent);
  return { at, coordinates };
}
