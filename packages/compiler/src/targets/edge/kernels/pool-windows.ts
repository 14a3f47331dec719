import { i32, type Expr, type FunctionBuilder, type Local } from '../../../wasm/index.ts';
import type { WindowSpec } from './gather-patches.ts';

/** What a pooling does with one vector of channels; addresses are those of the vector. */
export interface Pooling {
  start(): void;
  /** For each tap of the window that lies inside the map. */
  visit(address: Expr<'i32'>): void;
  finish(address: Expr<'i32'>): void;
}

/** Walks the output pixels [m0, m1) (row-major), 16 or `vectorBytes` bytes of channels at a time, and the taps of each window. */
export function emitPoolWindows(
  f: FunctionBuilder,
  spec: WindowSpec & { readonly yStride: number; readonly vectorBytes?: number },
  p: Readonly<Record<'x' | 'y' | 'm0' | 'm1', Local<'i32'>>>,
  pooling: Pooling,
): void {
  const {
    height,
    width,
    xStride,
    kernel,
    strides,
    dilations,
    pads,
    outWidth,
    yStride,
    vectorBytes = 16,
  } = spec;
  const outY = f.let(i32.divU(p.m0, outWidth));
  const outX = f.let(i32.sub(p.m0, i32.mul(outY, outWidth)));
  const channel = f.local('i32');
  const position = (out: Local<'i32'>, axis: 0 | 1, tap: number): Local<'i32'> =>
    f.let(i32.add(i32.mul(out, strides[axis]), tap * dilations[axis] - pads[axis]));
  f.increment(p.y, i32.mul(p.m0, yStride));
  f.whileBelow(p.m0, p.m1, 1, () => {
    f.set(channel, 0);
    f.whileBelow(channel, Math.min(xStride, yStride), vectorBytes, () => {
      pooling.start();
      for (let ky = 0; ky < kernel[0]; ky++) {
        const y = position(outY, 0, ky);
        f.if(i32.ltU(y, height), () => {
          for (let kx = 0; kx < kernel[1]; kx++) {
            const x = position(outX, 1, kx);
            f.if(i32.ltU(x, width), () => {
              const pixel = i32.mul(i32.add(i32.mul(y, width), x), xStride);
              pooling.visit(i32.add(p.x, i32.add(pixel, channel)));
            });
          }
        });
      }
      pooling.finish(i32.add(p.y, channel));
    });
    f.increment(p.y, yStride);
    f.increment(outX, 1);
    f.if(i32.eq(outX, outWidth), () => {
      f.set(outX, 0);
      f.increment(outY, 1);
    });
  });
}
