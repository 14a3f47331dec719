import { i32, type FunctionRef } from '../../../wasm/index.ts';
import { MODE, type KernelLibrary } from './kernel-library.ts';

export interface MapBytesSpec {
  /** Channels that are taken from each pixel of x. */
  readonly channels: number;
  readonly xStride: number;
  readonly yStride: number;
  /** First channel of y that is written. */
  readonly offset: number;
}

const PARAMS = {
  x: 'i32',
  /** 256 bytes: what each byte becomes. */
  table: 'i32',
  y: 'i32',
  m0: 'i32',
  m1: 'i32',
} as const;

/** y[offset + c] = table[x[c]] for pixels [m0, m1): any function of one byte, and a change of grids. */
export function emitMapBytes(
  library: KernelLibrary,
  spec: MapBytesSpec,
): FunctionRef<typeof PARAMS, undefined> {
  return library.once('map bytes', spec, (name) =>
    library.module.function(name, { params: PARAMS }, (f, p) => {
      const flip = f.let(i32.shl(i32.eq(library.mode, MODE.s8), 7));
      const from = f.local('i32');
      const to = f.local('i32');
      const end = f.local('i32');
      f.increment(p.x, i32.mul(p.m0, spec.xStride));
      f.increment(p.y, i32.add(i32.mul(p.m0, spec.yStride), spec.offset));
      f.whileBelow(p.m0, p.m1, 1, () => {
        f.set(from, p.x);
        f.set(to, p.y);
        f.set(end, i32.add(p.x, spec.channels));
        f.whileBelow(from, end, 1, () => {
          const byte = i32.load8U(i32.add(p.table, i32.xor(i32.load8U(from), flip)));
          f.do(i32.store8(to, i32.xor(byte, flip)));
          f.increment(to, 1);
        });
        f.increment(p.x, spec.xStride);
        f.increment(p.y, spec.yStride);
      });
    }),
  );
}
