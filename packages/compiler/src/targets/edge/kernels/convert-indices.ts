import { f32, i32, type FunctionRef } from '../../../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';

export interface ConvertIndicesSpec {
  /** What becomes of i32: float32, or what is left in 8 bits (as i32). */
  readonly to: 'float32' | 'uint8';
  readonly columns: number;
  /** Elements from row to row. */
  readonly xStride: number;
  readonly yStride: number;
}

const PARAMS = { x: 'i32', y: 'i32', m0: 'i32', m1: 'i32' } as const;

/** Another type for the whole numbers of rows [m0, m1). */
export function emitConvertIndices(
  library: KernelLibrary,
  spec: ConvertIndicesSpec,
): FunctionRef<typeof PARAMS, undefined> {
  return library.once('convert indices', spec, (name) =>
    library.module.function(name, { params: PARAMS }, (f, { x, y, m0, m1 }) => {
      const at = f.local('i32');
      f.increment(x, i32.mul(m0, 4 * spec.xStride));
      f.increment(y, i32.mul(m0, 4 * spec.yStride));
      f.whileBelow(m0, m1, 1, () => {
        f.set(at, 0);
        f.whileBelow(at, 4 * spec.columns, 4, () => {
          const value = i32.load(i32.add(x, at));
          const to = i32.add(y, at);
          f.do(
            spec.to === 'float32'
              ? f32.store(to, f32.convertI32S(value))
              : i32.store(to, i32.and(value, 0xff)),
          );
        });
        f.increment(x, 4 * spec.xStride);
        f.increment(y, 4 * spec.yStride);
      });
    }),
  );
}
