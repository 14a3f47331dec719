import {
  i32,
  i8x16,
  v128,
  type Expr,
  type FunctionBuilder,
  type FunctionRef,
  type Local,
} from '../wasm/index.ts';
import { MODE, type KernelLibrary } from './kernel-library.ts';
import { roundUp } from './vector-code.ts';

/** How a window moves over a map of bytes; all pairs are [vertical, horizontal]. */
export interface WindowSpec {
  /** Of the input map. */
  readonly height: number;
  readonly width: number;
  /** Bytes from pixel to pixel of the input map: a multiple of 4. */
  readonly xStride: number;
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** Padding above and on the left. */
  readonly pads: readonly [number, number];
  /** Of the output map. */
  readonly outWidth: number;
  /** What padding holds. */
  readonly zeroPoint: number;
}

/** Bytes of a patch: [kernel height][kernel width][xStride]. */
export function patchBytes({ kernel, xStride }: WindowSpec): number {
  return kernel[0] * kernel[1] * xStride;
}

/** Bytes from patch to patch. */
export function patchStride(spec: WindowSpec): number {
  return roundUp(patchBytes(spec), 16);
}

/** Copies are whole vectors: what is written behind the last patch. */
export const PATCH_OVERHANG_BYTES = 16;

const PARAMS = { x: 'i32', patches: 'i32', m0: 'i32', m1: 'i32' } as const;

/** Copies the windows of output pixels [m0, m1) (row-major) behind each other. */
export function emitGatherPatches(
  library: KernelLibrary,
  spec: WindowSpec,
): FunctionRef<typeof PARAMS, undefined> {
  return library.once('gather patches', spec, (name) =>
    library.module.function(name, { params: PARAMS }, (f, p) => {
      const { height, width, xStride, kernel, strides, dilations, pads, outWidth } = spec;
      const padding = emitPadding(library, f, spec.zeroPoint);
      const outY = f.let(i32.divU(p.m0, outWidth));
      const outX = f.let(i32.sub(p.m0, i32.mul(outY, outWidth)));
      const y = f.local('i32');
      const x = f.local('i32');
      const from = f.local('i32');
      const rowBytes = kernel[1] * xStride;
      f.whileBelow(p.m0, p.m1, 1, () => {
        f.set(x, i32.sub(i32.mul(outX, strides[1]), pads[1]));
        for (let ky = 0; ky < kernel[0]; ky++) {
          const to = i32.add(p.patches, ky * rowBytes);
          f.set(y, i32.add(i32.mul(outY, strides[0]), ky * dilations[0] - pads[0]));
          f.set(from, i32.add(p.x, i32.mul(i32.add(i32.mul(y, width), x), xStride)));
          f.if(
            i32.ltU(y, height),
            () => emitWindowRow(f, spec, { x, from, to: f.let(to), padding }),
            () => emitFill(f, f.let(to), padding, rowBytes),
          );
        }
        f.increment(p.patches, patchStride(spec));
        f.increment(outX, 1);
        f.if(i32.eq(outX, outWidth), () => {
          f.set(outX, 0);
          f.increment(outY, 1);
        });
      });
    }),
  );
}

/** The zero point in every byte, as the mode stores it. */
export function emitPadding(library: KernelLibrary, f: FunctionBuilder, zeroPoint: number): Local<'v128'> {
  const flip = i32.shl(i32.eq(library.mode, MODE.s8), 7);
  return f.let(i8x16.splat(i32.xor(i32.const(zeroPoint), flip)));
}

/** One row of a window that is inside vertically: a plain copy, or tap by tap where it leaves the map at a side. */
function emitWindowRow(
  f: FunctionBuilder,
  { width, xStride, kernel, dilations }: WindowSpec,
  p: { x: Local<'i32'>; from: Local<'i32'>; to: Local<'i32'>; padding: Local<'v128'> },
): void {
  const span = (kernel[1] - 1) * dilations[1];
  const tap = (kx: number): [Expr<'i32'>, Expr<'i32'>] => [
    i32.add(p.from, kx * dilations[1] * xStride),
    i32.add(p.to, kx * xStride),
  ];
  const copyTap = (kx: number): void => {
    const [from, to] = tap(kx);
    emitCopy(f, f.let(from), f.let(to), xStride);
  };
  f.if(
    i32.and(i32.geS(p.x, 0), i32.ltS(p.x, width - span)),
    () => {
      if (dilations[1] === 1) emitCopy(f, p.from, p.to, kernel[1] * xStride);
      else for (let kx = 0; kx < kernel[1]; kx++) copyTap(kx);
    },
    () => {
      for (let kx = 0; kx < kernel[1]; kx++) {
        f.if(
          i32.ltU(i32.add(p.x, kx * dilations[1]), width),
          () => copyTap(kx),
          () => emitFill(f, f.let(tap(kx)[1]), p.padding, xStride),
        );
      }
    },
  );
}

/** Vectors that are written one by one rather than in a loop. */
const UNROLLED_VECTORS = 8;

function emitCopy(f: FunctionBuilder, from: Local<'i32'>, to: Local<'i32'>, bytes: number): void {
  emitVectors(f, bytes, (offset, at) => {
    const source = at ? i32.add(from, at) : from;
    const target = at ? i32.add(to, at) : to;
    f.do(v128.store(target, v128.load(source, offset), offset));
  });
}

function emitFill(f: FunctionBuilder, to: Local<'i32'>, vector: Local<'v128'>, bytes: number): void {
  emitVectors(f, bytes, (offset, at) => f.do(v128.store(at ? i32.add(to, at) : to, vector, offset)));
}

/** Covers `bytes` with vectors, the last of which may reach beyond. */
function emitVectors(
  f: FunctionBuilder,
  bytes: number,
  body: (offset: number, at: Local<'i32'> | undefined) => void,
): void {
  if (bytes <= 16 * UNROLLED_VECTORS) {
    for (let offset = 0; offset < bytes; offset += 16) body(offset, undefined);
    return;
  }
  const at = f.let(i32.const(0));
  f.whileBelow(at, bytes, 16, () => body(0, at));
}
