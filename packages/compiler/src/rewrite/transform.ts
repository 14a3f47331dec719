import { CompilerError, type Diagnostic } from '../diagnostics/index.ts';
import type { Model } from '../ir/index.ts';

/** |actual − expected| may be at most `absolute + relative · |expected|`. */
export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
}

/** For transforms that only move or drop work: every output bit stays. */
export const LOSSLESS: Tolerance = { absolute: 0, relative: 0 };

export interface TransformResult {
  /** How many changes were made; 0 says that the model was left alone. */
  readonly edits: number;
  readonly diagnostics?: readonly Diagnostic[];
}

/** A named change of a model. `apply` edits the model it gets: `runPasses` gives it a clone. */
export interface Transform {
  /** The verb, as in the factory's name: `fuseLayerNorm`. */
  readonly name: string;
  /** One line for help and reports. */
  readonly description: string;
  /** How far the outputs may move: what rounding in another order explains, or `LOSSLESS`. */
  readonly tolerance: Tolerance;
  readonly apply: (model: Model) => TransformResult;
}

/**
 * Checks a transform's declaration and returns it.
 * @throws CompilerError `bad-option` when the name is not a camelCase verb or a tolerance is negative.
 */
export function defineTransform(transform: Transform): Transform {
  const { name, tolerance } = transform;
  if (!/^[a-z][A-Za-z0-9]*$/.test(name))
    throw new CompilerError('bad-option', `transform name '${name}' is not a camelCase verb`);
  if (!(tolerance.absolute >= 0 && tolerance.relative >= 0))
    throw new CompilerError('bad-option', `${name}: tolerances must be numbers of 0 or more`);
  return transform;
}
