import { f32x4, v128 } from '../../../wasm/index.ts';
import type { TileEpilogue } from './int8-tile.ts';

const PARAMS = {
  /** i32 per column; what the activations' zero point takes away is in it. */
  bias: 'i32',
  /** float32 per column: x_scale·w_scale. */
  multiplier: 'i32',
  /** Unused: the parameters are those of byteEpilogue. */
  limits: 'i32',
} as const;

/** y = float(Σ x·w + bias)·multiplier, as float32. */
export const SCALE_EPILOGUE: TileEpilogue<typeof PARAMS> = {
  name: 'scaled',
  params: PARAMS,
  rowBytes: {},
  first: (p, half) => v128.load(p.bias, 16 * half),
  emit(f, p, sums) {
    for (const row of sums) {
      row.forEach((sum, j) => {
        const exact = f32x4.convertI32x4S(sum);
        f.do(v128.store(p.y, f32x4.mul(exact, v128.load(p.multiplier, 16 * j)), 16 * j));
      });
      f.increment(p.y, p.yStride);
    }
  },
};
