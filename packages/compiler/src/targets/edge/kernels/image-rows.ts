import { f32, i32, type FunctionRef } from '../../../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';

export interface ImageRowsSpec {
  readonly channels: number;
  /** Pixels of the image. */
  readonly pixels: number;
  /** Floats from pixel to pixel of y. */
  readonly yStride: number;
}

const PARAMS = { x: 'i32', y: 'i32', m0: 'i32', m1: 'i32' } as const;

/** Planes of float32 [channels][pixels] to pixels with channels innermost. */
export function emitImageRows(
  library: KernelLibrary,
  spec: ImageRowsSpec,
): FunctionRef<typeof PARAMS, undefined> {
  return library.once('image rows', spec, (name) =>
    library.module.function(name, { params: PARAMS }, (f, p) => {
      const from = f.local('i32');
      const to = f.local('i32');
      const end = f.let(i32.add(p.y, i32.mul(p.m1, 4 * spec.yStride)));
      for (let channel = 0; channel < spec.channels; channel++) {
        f.set(from, i32.add(p.x, i32.add(i32.shl(p.m0, 2), 4 * channel * spec.pixels)));
        f.set(to, i32.add(p.y, i32.mul(p.m0, 4 * spec.yStride)));
        f.whileBelow(to, end, 4 * spec.yStride, () => {
          f.do(f32.store(to, f32.load(from), 4 * channel));
          f.increment(from, 4);
        });
      }
    }),
  );
}
