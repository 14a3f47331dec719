import { CompilerError } from '../../diagnostics/index.ts';
import { roundHalfEven } from './integer-grid.ts';

/** Smallest and largest number that a value takes. */
export interface ValueRange {
  readonly min: number;
  readonly max: number;
}

export interface ActivationGrid {
  /** float32. */
  readonly scale: number;
  /** 0 … 255: the byte that stands for 0. */
  readonly zeroPoint: number;
}

/**
 * Scale and zero point of an 8-bit asymmetric activation, real = (q − zeroPoint)·scale, every step rounded to float32
 * (docs/architecture.md section 5). The range is widened to contain 0.
 * @throws CompilerError `bad-option` when the range is not two finite numbers in order.
 */
export function activationGrid({ min, max }: ValueRange): ActivationGrid {
  if (!(min <= max && Number.isFinite(min) && Number.isFinite(max)))
    throw new CompilerError(
      'bad-option',
      `activation range ${min} … ${max} is not a range of finite numbers`,
      {
        hint: 'calibrate again; a NaN or an infinity in the activations has spoiled it',
      },
    );
  const { fround } = Math;
  const low = fround(Math.min(0, min));
  const high = fround(Math.max(0, max));
  const scale = fround(fround(high - low) / 255) || 1;
  const inverse = fround(1 / scale);
  const zeroPoint = Math.min(255, Math.max(0, roundHalfEven(fround(-low * inverse))));
  return { scale, zeroPoint };
}
