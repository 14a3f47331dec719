import { f32x4, v128, type Expr } from '../../../wasm/index.ts';
import type { TileEpilogue } from './int8-tile.ts';
import type { KernelLibrary } from './kernel-library.ts';
import { emitToBytes, emitToStoredBytes } from './requantize.ts';

const PARAMS = {
  /** i32 per column; what the activations' zero point takes away is in it. */
  bias: 'i32',
  /** float32 per column: x_scale·w_scale/y_scale. */
  multiplier: 'i32',
  /** See emitByteLimits. */
  limits: 'i32',
} as const;

/**
 * y = clamp(round(float(Σ x·w + bias)·multiplier)) + zero point, as bytes. Eight bytes of each row are written. `isFlipped`: as the mode
 * stores them, which in all modes but s8 is as they are.
 */
export function byteEpilogue(
  library: KernelLibrary,
  { isRoundable, isFlipped }: { readonly isRoundable: boolean; readonly isFlipped: boolean },
): TileEpilogue<typeof PARAMS> {
  const toBytes = isFlipped ? emitToStoredBytes : emitToBytes;
  return {
    name: `${isRoundable ? 'small bytes' : 'bytes'}${isFlipped ? ' of the mode' : ''}`,
    params: PARAMS,
    rowBytes: {},
    first: (p, half) => v128.load(p.bias, 16 * half),
    emit(f, p, sums) {
      for (const row of sums) {
        const [low, high] = row.map((sum, j) =>
          f32x4.mul(f32x4.convertI32x4S(sum), v128.load(p.multiplier, 16 * j)),
        ) as [Expr<'v128'>, Expr<'v128'>];
        f.do(v128.store64Lane(p.y, toBytes(library, p.limits, [low, high], isRoundable), 0));
        f.increment(p.y, p.yStride);
      }
    },
  };
}
