import { f32x4, v128, type FunctionRef } from '../../../wasm/index.ts';
import type { WindowSpec } from './gather-patches.ts';
import type { KernelLibrary } from './kernel-library.ts';
import { emitPoolWindows } from './pool-windows.ts';

export interface MaxPoolRowsSpec extends WindowSpec {
  /** Bytes from pixel to pixel of the output, as of the input: a multiple of 32. */
  readonly yStride: number;
}

const PARAMS = { x: 'i32', y: 'i32', m0: 'i32', m1: 'i32' } as const;

/** The largest float of each window for the output pixels [m0, m1) (row-major); padding does not count. */
export function emitMaxPoolRows(
  library: KernelLibrary,
  spec: MaxPoolRowsSpec,
): FunctionRef<typeof PARAMS, undefined> {
  return library.once('max pool rows', spec, (name) =>
    library.module.function(name, { params: PARAMS }, (f, p) => {
      const largest = f.local('v128');
      emitPoolWindows(f, spec, p, {
        start: () => f.set(largest, library.splat(-Infinity)),
        visit: (address) => f.set(largest, f32x4.pmax(largest, v128.load(address))),
        finish: (address) => f.do(v128.store(address, largest)),
      });
    }),
  );
}
