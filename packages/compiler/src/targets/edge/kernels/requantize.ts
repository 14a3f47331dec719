import {
  f32,
  f32x4,
  i16x8,
  i32,
  i32x4,
  i8x16,
  v128,
  type Expr,
  type FunctionBuilder,
  type Local,
} from '../../../wasm/index.ts';
import { MODE, type KernelLibrary } from './kernel-library.ts';
import { ROUND_TO_INTEGER, ROUND_TO_INTEGER_BITS } from './math-constants.ts';

// From exact sums to bytes, as onnxruntime's kernels do it (MlasRequantizeOutput): the float product is clamped to what
// the byte can hold, rounded half to even, and the zero point added.

/** A quantization grid of bytes: real = (byte − zeroPoint)·scale. */
export interface ByteGrid {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** What requantization reads from memory, so that it costs the products no registers; see emitByteLimits. */
export const BYTE_LIMITS_BYTES = 16;
const LIMITS = { low: 0, high: 4, minusZero: 8, flip: 12 } as const;

/** Writes the limits of a byte grid for emitToBytes. */
export function emitByteLimits(
  library: KernelLibrary,
  f: FunctionBuilder,
  address: Expr<'i32'>,
  zeroPoint: number,
): void {
  f.do(
    f32.store(address, f32.const(-zeroPoint), LIMITS.low),
    f32.store(address, f32.const(255 - zeroPoint), LIMITS.high),
    i32.store(address, i32.const(ROUND_TO_INTEGER_BITS - zeroPoint), LIMITS.minusZero),
    i32.store(address, i32.mul(i32.eq(library.mode, MODE.s8), 0x80808080 | 0), LIMITS.flip),
  );
}

/** Magnitudes below this are rounded without being clamped first: their bits in ROUND_TO_INTEGER do not run over. */
export const ROUNDABLE: number = 2 ** 22;

/** Four values, multiples of the output's scale without its zero point, as whole numbers from 0 to 255. */
export function emitToSteps(library: KernelLibrary, limits: Expr<'i32'>, value: Expr<'v128'>): Expr<'v128'> {
  const clamped = f32x4.pmin(
    v128.load32Splat(limits, LIMITS.high),
    f32x4.pmax(v128.load32Splat(limits, LIMITS.low), value),
  );
  return emitRounded(library, limits, clamped);
}

/** The same for magnitudes below ROUNDABLE, without the bounds of bytes. */
function emitRounded(library: KernelLibrary, limits: Expr<'i32'>, value: Expr<'v128'>): Expr<'v128'> {
  const rounded = f32x4.add(value, library.splat(ROUND_TO_INTEGER));
  return i32x4.sub(rounded, v128.load32Splat(limits, LIMITS.minusZero));
}

/**
 * Eight values, multiples of the output's scale without its zero point, as bytes in the lower half of a vector. Those that
 * are known to be below ROUNDABLE need not be clamped: narrowing saturates.
 */
export function emitToBytes(
  library: KernelLibrary,
  limits: Expr<'i32'>,
  values: readonly [Expr<'v128'>, Expr<'v128'>],
  isRoundable: boolean,
): Expr<'v128'> {
  const toSteps = isRoundable ? emitRounded : emitToSteps;
  const [low, high] = values.map((value) => toSteps(library, limits, value)) as [Expr<'v128'>, Expr<'v128'>];
  const words = i16x8.narrowI32x4S(low, high);
  return i8x16.narrowI16x8U(words, words);
}

/** The same as the mode stores them. */
export function emitToStoredBytes(
  library: KernelLibrary,
  limits: Expr<'i32'>,
  values: readonly [Expr<'v128'>, Expr<'v128'>],
  isRoundable = false,
): Expr<'v128'> {
  return emitFlip(limits, emitToBytes(library, limits, values, isRoundable));
}

/** Bytes as they are in memory to 0…255, or back: mode s8 stores them xor 0x80. */
export function emitFlip(limits: Expr<'i32'>, bytes: Expr<'v128'>): Expr<'v128'> {
  return v128.xor(bytes, v128.load32Splat(limits, LIMITS.flip));
}

/**
 * What is added to the sums of a convolution: its bias, and in mode s8, whose activations are 128 less, 128 times the
 * sums of the weights, which are then written to `scratch` (4·n bytes).
 */
export function emitModeBias(
  library: KernelLibrary,
  f: FunctionBuilder,
  p: { bias: Local<'i32'>; colsum: Local<'i32'>; scratch: Expr<'i32'>; n: number },
): Local<'i32'> {
  const bias = f.let(p.bias);
  if (library.rung !== 'relaxed') return bias;
  f.if(i32.eq(library.mode, MODE.s8), () => {
    f.set(bias, p.scratch);
    const at = f.local('i32');
    f.whileBelow(at, 4 * p.n, 16, () => {
      const shifted = i32x4.shl(v128.load(i32.add(p.colsum, at)), 7);
      f.do(v128.store(i32.add(bias, at), i32x4.add(v128.load(i32.add(p.bias, at)), shifted)));
    });
  });
  return bias;
}

export type Halves = readonly [Local<'v128'>, Local<'v128'>];

/** Eight bytes (0…255, lower half) as floats. */
export function emitFloats(f: FunctionBuilder, bytes: Expr<'v128'>): Halves {
  const words = f.let(i16x8.extendLowI8x16U(bytes));
  return [
    f.let(f32x4.convertI32x4S(i32x4.extendLowI16x8S(words))),
    f.let(f32x4.convertI32x4S(i32x4.extendHighI16x8S(words))),
  ];
}
