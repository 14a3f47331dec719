import type { Dim } from '../ir/dim.ts';
import type { DataType } from '../ir/index.ts';

/**
 * What is known of a small tensor's elements: numbers, expressions over symbolic dims, or null.
 * Bools are 0 and 1. This is how a reshape target computed from `Shape` becomes a shape.
 */
export interface PartialValue {
  readonly dtype: DataType;
  readonly dims: readonly number[];
  readonly elements: readonly Dim[];
}

/** Larger tensors are data, not shapes: their elements are not followed. */
export const PARTIAL_VALUE_MAX_ELEMENTS = 1024;
