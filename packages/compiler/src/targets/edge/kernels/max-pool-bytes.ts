import { i32, i8x16, v128, type FunctionRef } from '../../../wasm/index.ts';
import type { WindowSpec } from './gather-patches.ts';
import { MODE, type KernelLibrary } from './kernel-library.ts';
import { emitPoolWindows } from './pool-windows.ts';

export interface MaxPoolBytesSpec extends WindowSpec {
  /** Bytes from pixel to pixel of the output, as of the input: 8 or a multiple of 16. */
  readonly yStride: number;
}

const PARAMS = { x: 'i32', y: 'i32', m0: 'i32', m1: 'i32' } as const;

/** The largest byte of each window for the output pixels [m0, m1) (row-major); padding does not count. */
export function emitMaxPoolBytes(
  library: KernelLibrary,
  spec: MaxPoolBytesSpec,
): FunctionRef<typeof PARAMS, undefined> {
  return library.once('max pool bytes', spec, (name) =>
    library.module.function(name, { params: PARAMS }, (f, p) => {
      const flip = f.let(i8x16.splat(i32.shl(i32.eq(library.mode, MODE.s8), 7)));
      const largest = f.local('v128');
      const isNarrow = Math.min(spec.xStride, spec.yStride) % 16 !== 0;
      emitPoolWindows(f, spec, p, {
        start: () => f.set(largest, v128.zero()),
        visit: (address) => f.set(largest, i8x16.maxU(largest, v128.xor(v128.load(address), flip))),
        finish: (address) => {
          const result = v128.xor(largest, flip);
          f.do(isNarrow ? v128.store64Lane(address, result, 0) : v128.store(address, result));
        },
      });
    }),
  );
}
