import type { ValueRange } from '../grids/activation-grid.ts';
import { extent } from './extent.ts';

/** Watches a value over many runs in constant memory and proposes its range. */
export interface Observer {
  /** @throws CompilerError `bad-file` for a NaN or an infinity. */
  observe(values: Float32Array): void;
  /** 0 … 0 when nothing was observed. */
  range(): ValueRange;
}

/** Makes one observer per value. */
export type ObserverFactory = () => Observer;

/** The smallest and the largest number seen: clips nothing, and one outlier widens the grid for all. */
export function minMaxObserver(): Observer {
  let [min, max] = [Infinity, -Infinity];
  return {
    observe: (values) => {
      const seen = extent(values);
      min = Math.min(min, seen.min);
      max = Math.max(max, seen.max);
    },
    range: () => (min <= max ? { min, max } : { min: 0, max: 0 }),
  };
}
