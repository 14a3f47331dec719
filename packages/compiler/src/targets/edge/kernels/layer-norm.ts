import {
  f32,
  f32x4,
  i32,
  v128,
  type FunctionBuilder,
  type FunctionRef,
  type Local,
} from '../../../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';
import {
  createRowRange,
  emitQuantizeRow,
  quantizedRowBytes,
  resetRowRange,
  widenRowRange,
  type ActivationQuantization,
} from './quantize-row.ts';
import { forEachEight, keepLanes, reduceLanes } from './vector-code.ts';

export interface LayerNormSpec {
  /** Columns. */
  n: number;
  epsilon: number;
  /** Floats from row to row, each at least n rounded up to 8. */
  xStride: number;
  yStride: number;
  /** Present: LayerNorm(x + skip). */
  skipStride?: number;
  /** Present: the row is quantized as well, while it is in the first-level cache. */
  quantization?: ActivationQuantization;
}

const PARAMS = {
  x: 'i32',
  /** Float rows, when the spec has skipStride; else anything. */
  skip: 'i32',
  gamma: 'i32',
  beta: 'i32',
  /** May be x or skip. */
  y: 'i32',
  /** Where the quantized row goes (see quantizeRows), when the spec has quantization; else anything. */
  bytes: 'i32',
  rowScale: 'i32',
  rowZero: 'i32',
  m0: 'i32',
  m1: 'i32',
} as const;

/** y = ((x − mean)·(1/√(variance + epsilon)))·gamma + beta for rows [m0, m1), x being x + skip when there is a skip. */
export function emitLayerNorm(
  library: KernelLibrary,
  spec: LayerNormSpec,
): FunctionRef<typeof PARAMS, undefined> {
  return library.once('layer norm', spec, (name) =>
    library.module.function(name, { params: PARAMS }, (f, p) => {
      const range = spec.quantization ? createRowRange(f) : undefined;
      const sums = [f.local('v128'), f.local('v128')] as const;
      const value = f.local('v128');
      f.increment(p.x, i32.mul(p.m0, 4 * spec.xStride));
      f.increment(p.skip, i32.mul(p.m0, 4 * (spec.skipStride ?? 0)));
      f.increment(p.y, i32.mul(p.m0, 4 * spec.yStride));
      f.increment(p.bytes, i32.mul(p.m0, quantizedRowBytes(spec.n)));
      f.increment(p.rowScale, i32.shl(p.m0, 2));
      f.increment(p.rowZero, i32.shl(p.m0, 2));
      f.whileBelow(p.m0, p.m1, 1, () => {
        for (const sum of sums) f.set(sum, v128.zero());
        forEachEight(f, spec.n, (at, valid) => {
          for (const half of [0, 1] as const) {
            if (half * 4 >= valid) continue;
            f.set(value, v128.load(at(p.x), 16 * half));
            if (spec.skipStride !== undefined) {
              f.set(value, f32x4.add(value, v128.load(at(p.skip), 16 * half)));
              f.do(v128.store(at(p.y), value, 16 * half));
            }
            f.set(sums[half], f32x4.add(sums[half], keepLanes(value, valid - 4 * half)));
          }
        });
        const source = spec.skipStride === undefined ? p.x : p.y;
        if (range) resetRowRange(f, range);
        emitNormalize(f, spec, { ...p, x: source }, sums, (half, normalized) => {
          if (range) widenRowRange(f, range, half, normalized);
        });
        if (spec.quantization) {
          emitQuantizeRow(library, f, spec.n, spec.quantization, { ...p, x: p.y }, range);
        }
        f.increment(p.x, 4 * spec.xStride);
        f.increment(p.skip, 4 * (spec.skipStride ?? 0));
        f.increment(p.y, 4 * spec.yStride);
        f.increment(p.bytes, quantizedRowBytes(spec.n));
        f.increment(p.rowScale, 4);
        f.increment(p.rowZero, 4);
      });
    }),
  );
}

interface NormalizePointers {
  x: Local<'i32'>;
  y: Local<'i32'>;
  gamma: Local<'i32'>;
  beta: Local<'i32'>;
}

/**
 * Normalizes one row whose sums are in two vectors (column c in lane c mod 4 of vector ⌊c / 4⌋ mod 2). `visit` gets
 * each vector of the result with the lanes beyond n set to 0.
 */
export function emitNormalize(
  f: FunctionBuilder,
  { n, epsilon }: { n: number; epsilon: number },
  p: NormalizePointers,
  sums: readonly [Local<'v128'>, Local<'v128'>],
  visit: (half: 0 | 1, normalized: Local<'v128'>) => void,
): void {
  const columns = f32.const(n);
  const value = f.local('v128');
  const total = (): ReturnType<typeof f32.add> => reduceLanes(f, f32x4.add(sums[0], sums[1]), f32x4.add);
  const mean = f.let(f32x4.splat(f32.div(total(), columns)));
  for (const sum of sums) f.set(sum, v128.zero());
  forEachEight(f, n, (at, valid) => {
    for (const half of [0, 1] as const) {
      if (half * 4 >= valid) continue;
      f.set(value, keepLanes(f32x4.sub(v128.load(at(p.x), 16 * half), mean), valid - 4 * half));
      f.set(sums[half], f32x4.add(sums[half], f32x4.mul(value, value)));
    }
  });
  const variance = f32.div(total(), columns);
  const factor = f.let(f32x4.splat(f32.div(f32.const(1), f32.sqrt(f32.add(variance, f32.const(epsilon))))));
  forEachEight(f, n, (at, valid) => {
    for (const half of [0, 1] as const) {
      if (half * 4 >= valid) continue;
      const offset = 16 * half;
      const normalized = f32x4.mul(f32x4.sub(v128.load(at(p.x), offset), mean), factor);
      f.set(
        value,
        f32x4.add(f32x4.mul(normalized, v128.load(at(p.gamma), offset)), v128.load(at(p.beta), offset)),
      );
      f.set(value, keepLanes(value, valid - 4 * half));
      f.do(v128.store(at(p.y), value, offset));
      visit(half, value);
    }
  });
}
