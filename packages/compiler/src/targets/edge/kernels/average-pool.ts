import { f32x4, v128, type Expr, type FunctionRef, type Local } from '../../../wasm/index.ts';
import type { WindowSpec } from './gather-patches.ts';
import type { KernelLibrary } from './kernel-library.ts';
import { emitPoolWindows } from './pool-windows.ts';
import { emitByteLimits, emitFlip, emitFloats, emitToStoredBytes, type ByteGrid } from './requantize.ts';

export interface AveragePoolSpec extends WindowSpec {
  /** Bytes from pixel to pixel of the output. */
  readonly yStride: number;
  /** Whether padding counts as zeros rather than not at all. */
  readonly countsPadding: boolean;
  /** Of a map of bytes; undefined: the map is float32. */
  readonly grids: readonly [ByteGrid, ByteGrid] | undefined;
}

const PARAMS = { x: 'i32', y: 'i32', scratch: 'i32', m0: 'i32', m1: 'i32' } as const;

/**
 * The mean of each window for the output pixels [m0, m1) (row-major): the sum from +0 in the order of the window, divided by
 * the number of its elements. Bytes are averaged as the floats they stand for (com.microsoft QLinearAveragePool).
 */
export function emitAveragePool(
  library: KernelLibrary,
  spec: AveragePoolSpec,
): FunctionRef<typeof PARAMS, undefined> {
  return library.once('average pool', spec, (name) =>
    library.module.function(name, { params: PARAMS }, (f, p) => {
      const { grids, countsPadding, kernel } = spec;
      const sums = [f.local('v128'), f.local('v128')] as const;
      const count = f.local('v128');
      const add = (value: Expr<'v128'>, half: 0 | 1): void => f.set(sums[half], f32x4.add(sums[half], value));
      const walk = grids ? { ...spec, vectorBytes: 8 } : spec;
      if (grids) emitByteLimits(library, f, p.scratch, 0);
      emitPoolWindows(f, walk, p, {
        start: () => {
          for (const sum of sums) f.set(sum, v128.zero());
          f.set(count, countsPadding ? library.splat(kernel[0] * kernel[1]) : v128.zero());
        },
        visit: (address) => {
          if (!countsPadding) f.set(count, f32x4.add(count, library.splat(1)));
          if (!grids) return add(v128.load(address), 0);
          const bytes = f.let(emitFlip(p.scratch, v128.load64Zero(address)));
          emitFloats(f, bytes).forEach((value, half) =>
            add(emitReal(library, value, grids[0]), half as 0 | 1),
          );
        },
        finish: (address) => {
          if (!grids) return f.do(v128.store(address, f32x4.div(sums[0], count)));
          const steps = sums.map((sum) =>
            f32x4.add(
              f32x4.div(f32x4.div(sum, count), library.splat(grids[1].scale)),
              library.splat(grids[1].zeroPoint),
            ),
          ) as [Expr<'v128'>, Expr<'v128'>];
          f.do(v128.store64Lane(address, emitToStoredBytes(library, p.scratch, steps), 0));
        },
      });
    }),
  );
}

/** What a byte (as a float) stands for. */
function emitReal(library: KernelLibrary, byte: Local<'v128'>, { scale, zeroPoint }: ByteGrid): Expr<'v128'> {
  return f32x4.mul(f32x4.sub(byte, library.splat(zeroPoint)), library.splat(scale));
}
