import { f32x4, i32x4, v128 } from '../../../wasm/index.ts';
import type { TileEpilogue } from './int8-tile.ts';

const PARAMS = {
  rowScale: 'i32',
  rowZero: 'i32',
  weightScale: 'i32',
  colsum: 'i32',
  bias: 'i32',
} as const;

/**
 * y = float(Σ x·w − rowZero·colsum)·rowScale·weightScale + bias, as float32; the steps and their order are those of
 * docs/architecture.md section 5.
 */
export const FLOAT_EPILOGUE: TileEpilogue<typeof PARAMS> = {
  name: 'float',
  params: PARAMS,
  rowBytes: { rowScale: 4, rowZero: 4 },
  emit(f, p, sums) {
    const zero = f.local('v128');
    const scale = f.local('v128');
    sums.forEach((sum, r) => {
      f.set(zero, v128.load32Splat(p.rowZero, 4 * r));
      f.set(scale, v128.load32Splat(p.rowScale, 4 * r));
      sum.forEach((s, j) => {
        const exact = i32x4.sub(s, i32x4.mul(zero, v128.load(p.colsum, 16 * j)));
        const scaled = f32x4.mul(
          f32x4.mul(f32x4.convertI32x4S(exact), scale),
          v128.load(p.weightScale, 16 * j),
        );
        f.do(v128.store(p.y, f32x4.add(scaled, v128.load(p.bias, 16 * j)), 16 * j));
      });
      f.increment(p.y, p.yStride);
    });
  },
};
