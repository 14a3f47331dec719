import { CompilerError } from '../diagnostics/index.ts';
import type { DataType, Tensor } from '../ir/index.ts';
import { tensorNumbers } from '../ops/index.ts';

/** How one output differs from what was expected. */
export interface TensorDifference {
  readonly name: string;
  readonly dtype: DataType;
  readonly dims: readonly number[];
  /** Largest |actual − expected|. */
  readonly maxAbs: number;
  /** Mean of |actual − expected|. */
  readonly meanAbs: number;
  /** `maxAbs` as a part of the largest |expected|. */
  readonly maxRelative: number;
  /** 1 for the same direction; 1 when both are all zeros. */
  readonly cosine: number;
  /** 10·log10(Σ expected² / Σ (actual − expected)²) in dB; Infinity when the tensors are equal. */
  readonly sqnrDb: number;
  /** Elements that are NaN or infinite on one side only. */
  readonly notFinite: number;
}

/**
 * Compares the outputs of two models, by name, in the order of `expected`.
 * @throws CompilerError `numeric-check` when an output is missing or has another shape or type.
 */
export function compareOutputs(
  expected: ReadonlyMap<string, Tensor>,
  actual: ReadonlyMap<string, Tensor>,
): TensorDifference[] {
  return [...expected].map(([name, tensor]) => {
    const other = actual.get(name);
    if (other === undefined) throw mismatch(name, 'is missing');
    if (tensor.dims.join() !== other.dims.join()) {
      throw mismatch(name, `has the shape [${other.dims.join(', ')}] instead of [${tensor.dims.join(', ')}]`);
    }
    return compareTensors(name, tensor, other);
  });
}

function mismatch(name: string, what: string): CompilerError {
  return new CompilerError('numeric-check', `The output "${name}" ${what}.`, {
    at: { value: name },
    hint: 'Compare models with the same outputs, on the same inputs.',
  });
}

/** Compares two tensors of one shape; element types may differ (float32 against float16, say). */
export function compareTensors(name: string, expected: Tensor, actual: Tensor): TensorDifference {
  const [x, y] = [tensorNumbers(expected), tensorNumbers(actual)];
  let [maxAbs, sumAbs, top, dot, squaresX, squaresY, noise, notFinite] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const [e, a] = [x[i] as number, y[i] as number];
    if (Object.is(e, a) && !Number.isFinite(e)) continue;
    if (!Number.isFinite(e) || !Number.isFinite(a)) {
      notFinite++;
      continue;
    }
    const difference = Math.abs(a - e);
    maxAbs = Math.max(maxAbs, difference);
    sumAbs += difference;
    top = Math.max(top, Math.abs(e));
    dot += e * a;
    squaresX += e * e;
    squaresY += a * a;
    noise += difference * difference;
  }
  const norm = Math.sqrt(squaresX) * Math.sqrt(squaresY);
  return {
    name,
    dtype: expected.dtype,
    dims: expected.dims,
    maxAbs,
    meanAbs: x.length === 0 ? 0 : sumAbs / x.length,
    maxRelative: maxAbs === 0 ? 0 : maxAbs / top,
    cosine: norm === 0 ? Number(squaresX === squaresY) : dot / norm,
    sqnrDb: noise === 0 ? Infinity : 10 * Math.log10(squaresX / noise),
    notFinite,
  };
}
