import { i32, i8x16, v128, type FunctionRef, type Local } from '../wasm/index.ts';
import type { WindowSpec } from './gather-patches.ts';
import { MODE, type KernelLibrary } from './kernel-library.ts';

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
      const { height, width, xStride, kernel, strides, dilations, pads, outWidth, yStride } = spec;
      const flip = f.let(i8x16.splat(i32.shl(i32.eq(library.mode, MODE.s8), 7)));
      const outY = f.let(i32.divU(p.m0, outWidth));
      const outX = f.let(i32.sub(p.m0, i32.mul(outY, outWidth)));
      const channel = f.local('i32');
      const largest = f.local('v128');
      const position = (out: Local<'i32'>, axis: 0 | 1, tap: number): Local<'i32'> =>
        f.let(i32.add(i32.mul(out, strides[axis]), tap * dilations[axis] - pads[axis]));
      f.increment(p.y, i32.mul(p.m0, yStride));
      f.whileBelow(p.m0, p.m1, 1, () => {
        f.set(channel, 0);
        f.whileBelow(channel, xStride, 16, () => {
          f.set(largest, v128.zero());
          for (let ky = 0; ky < kernel[0]; ky++) {
            const y = position(outY, 0, ky);
            f.if(i32.ltU(y, height), () => {
              for (let kx = 0; kx < kernel[1]; kx++) {
                const x = position(outX, 1, kx);
                f.if(i32.ltU(x, width), () => {
                  const pixel = i32.mul(i32.add(i32.mul(y, width), x), xStride);
                  const bytes = v128.load(i32.add(p.x, i32.add(pixel, channel)));
                  f.set(largest, i8x16.maxU(largest, v128.xor(bytes, flip)));
                });
              }
            });
          }
          const to = i32.add(p.y, channel);
          const result = v128.xor(largest, flip);
          f.do(xStride % 16 === 0 ? v128.store(to, result) : v128.store64Lane(to, result, 0));
        });
        f.increment(p.y, yStride);
        f.increment(outX, 1);
        f.if(i32.eq(outX, outWidth), () => {
          f.set(outX, 0);
          f.increment(outY, 1);
        });
      });
    }),
  );
}
