import { f32x4, i32, v128, type FunctionRef } from '../../../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';
import { emitByteLimits, emitToStoredBytes, type ByteGrid } from './requantize.ts';
import { roundUp } from './vector-code.ts';

export interface QuantizeFloatsSpec {
  readonly columns: number;
  readonly grid: ByteGrid;
  /** Floats from row to row of x, bytes from row to row of y. */
  readonly xStride: number;
  readonly yStride: number;
}

const PARAMS = { x: 'i32', y: 'i32', scratch: 'i32', m0: 'i32', m1: 'i32' } as const;

/** Rows of float32 to rows of bytes: clamp(round(x / scale)) + zero point (QuantizeLinear). */
export function emitQuantizeFloats(
  library: KernelLibrary,
  spec: QuantizeFloatsSpec,
): FunctionRef<typeof PARAMS, undefined> {
  return library.once('quantize floats', spec, (name) =>
    library.module.function(name, { params: PARAMS }, (f, p) => {
      emitByteLimits(library, f, p.scratch, spec.grid.zeroPoint);
      const column = f.local('i32');
      f.increment(p.x, i32.mul(p.m0, 4 * spec.xStride));
      f.increment(p.y, i32.mul(p.m0, spec.yStride));
      f.whileBelow(p.m0, p.m1, 1, () => {
        f.set(column, 0);
        f.whileBelow(column, roundUp(spec.columns, 8), 8, () => {
          const from = f.let(i32.add(p.x, i32.shl(column, 2)));
          const [low, high] = [0, 16].map((offset) =>
            f32x4.div(v128.load(from, offset), library.splat(spec.grid.scale)),
          );
          const bytes = emitToStoredBytes(library, p.scratch, [low!, high!]);
          f.do(v128.store64Lane(i32.add(p.y, column), bytes, 0));
        });
        f.increment(p.x, 4 * spec.xStride);
        f.increment(p.y, spec.yStride);
      });
    }),
  );
}
