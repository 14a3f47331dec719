import { CompilerError } from '../../diagnostics/index.ts';
import type { ValueRange } from '../grids/activation-grid.ts';

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

/**
 * Smallest and largest element; Infinity … −Infinity for no elements.
 * @throws CompilerError `bad-file` for a NaN or an infinity.
 */
export function extent(values: Float32Array): ValueRange {
  let [min, max, sum] = [Infinity, -Infinity, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < min) min = value;
    if (value > max) max = value;
    sum += value - value; // NaN once an element is not finite
  }
  if (Number.isNaN(sum))
    throw new CompilerError('bad-file', 'the activations hold a NaN or an infinity', {
      hint: 'the float model overflows on this sample: look at its inputs, or leave the sample out',
    });
  return { min, max };
}
