import {
  i32,
  i8x16,
  v128,
  type Expr,
  type FunctionBuilder,
  type FunctionRef,
  type Local,
} from '../../../wasm/index.ts';
import { MODE, type KernelLibrary } from './kernel-library.ts';
import { roundUp } from './vector-code.ts';

/** How a window moves over a map; all pairs are [vertical, horizontal]. */
export interface WindowSpec {
  /** Of the input map. */
  readonly height: number;
  readonly width: number;
  /** Bytes from pixel to pixel of the input map: a multiple of 4. */
  readonly xStride: number;
  /** Bytes of a pixel that a patch takes: its channels, rounded up to 4 bytes. */
  readonly tapBytes: number;
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** Padding above and on the left. */
  readonly pads: readonly [number, number];
  /** Of the output map. */
  readonly outWidth: number;
}

/** A window over a map of bytes. */
export interface ByteWindowSpec extends WindowSpec {
  /** What padding holds. */
  readonly zeroPoint: number;
}

/** Bytes of a patch: [kernel height][kernel width][tapBytes]. */
export function patchBytes({ kernel, tapBytes }: WindowSpec): number {
  return kernel[0] * kernel[1] * tapBytes;
}

/** Bytes from patch to patch. */
export function patchStride(spec: WindowSpec): number {
  return roundUp(patchBytes(spec), 16);
}

/** Copies are whole vectors: what is written behind the last patch. */
export const PATCH_OVERHANG_BYTES = 16;

const PARAMS = { x: 'i32', patches: 'i32', m0: 'i32', m1: 'i32' } as const;

/** Copies the windows of output pixels [m0, m1) (row-major) behind each other; without a zero point padding is zeros. */
export function emitGatherPatches(
  library: KernelLibrary,
  spec: WindowSpec | ByteWindowSpec,
): FunctionRef<typeof PARAMS, undefined> {
  return library.once('gather patches', spec, (name) =>
    library.module.function(name, { params: PARAMS }, (f, p) => {
      const { height, width, xStride, tapBytes, kernel, strides, dilations, pads, outWidth } = spec;
      const padding = emitPadding(library, f, 'zeroPoint' in spec ? spec.zeroPoint : undefined);
      const outY = f.let(i32.divU(p.m0, outWidth));
      const outX = f.let(i32.sub(p.m0, i32.mul(outY, outWidth)));
      const y = f.local('i32');
      const x = f.local('i32');
      const from = f.local('i32');
      const rowBytes = kernel[1] * tapBytes;
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

/** The zero point in every byte, as the mode stores it; zeros without one. */
export function emitPadding(
  library: KernelLibrary,
  f: FunctionBuilder,
  zeroPoint: number | undefined,
): Local<'v128'> {
  if (zeroPoint === undefined) return f.let(v128.zero());
  const flip = i32.shl(i32.eq(library.mode, MODE.s8), 7);
  return f.let(i8x16.splat(i32.xor(i32.const(zeroPoint), flip)));
}

/** One row of a window that is inside vertically: a plain copy, or tap by tap where it leaves the map at a side. */
function emitWindowRow(
  f: FunctionBuilder,
  { width, xStride, tapBytes, kernel, dilations }: WindowSpec,
  p: { x: Local<'i32'>; from: Local<'i32'>; to: Local<'i32'>; padding: Local<'v128'> },
): void {
  const span = (kernel[1] - 1) * dilations[1];
  const tap = (kx: number): [Expr<'i32'>, Expr<'i32'>] => [
    i32.add(p.from, kx * dilations[1] * xStride),
    i32.add(p.to, kx * tapBytes),
  ];
  const copyTap = (kx: number): void => {
    const [from, to] = tap(kx);
    emitCopy(f, f.let(from), f.let(to), tapBytes);
  };
  f.if(
    i32.and(i32.geS(p.x, 0), i32.ltS(p.x, width - span)),
    () => {
      const isContiguous = dilations[1] === 1 && tapBytes === xStride;
      if (isContiguous) emitCopy(f, p.from, p.to, kernel[1] * tapBytes);
      else for (let kx = 0; kx < kernel[1]; kx++) copyTap(kx);
    },
    () => {
      for (let kx = 0; kx < kernel[1]; kx++) {
        f.if(
          i32.ltU(i32.add(p.x, kx * dilations[1]), width),
          () => copyTap(kx),
          () => emitFill(f, f.let(tap(kx)[1]), p.padding, tapBytes),
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
