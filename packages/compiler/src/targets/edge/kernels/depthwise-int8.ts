import {
  f32x4,
  i16x8,
  i32,
  i32x4,
  i8x16,
  v128,
  type Expr,
  type FunctionBuilder,
  type FunctionRef,
  type Local,
} from '../../../wasm/index.ts';
import { emitPadding, type ByteWindowSpec, type WindowSpec } from './gather-patches.ts';
import { MODE, type KernelLibrary } from './kernel-library.ts';
import {
  BYTE_LIMITS_BYTES,
  emitByteLimits,
  emitModeBias,
  emitToBytes,
  emitToStoredBytes,
} from './requantize.ts';
import { roundUp } from './vector-code.ts';
import { emitInputRow, emitWindowColumns, type TapAddress } from './window-columns.ts';

/** Channels that are computed together. */
const LANES = 8;

export interface DepthwiseInt8Spec extends ByteWindowSpec {
  channels: number;
  /** Of the output; `zeroPoint` is the input's. */
  yZeroPoint: number;
  /** Whether all results, in steps of the output's grid, are below ROUNDABLE. */
  isRoundable: boolean;
  /** Bytes from pixel to pixel of the output: at least channels rounded up to 8. */
  yStride: number;
}

const PARAMS = {
  x: 'i32',
  /** packDepthwiseWeights' layout. */
  weights: 'i32',
  /** As in emitConvInt8. */
  bias: 'i32',
  colsum: 'i32',
  multiplier: 'i32',
  y: 'i32',
  /** depthwiseInt8ScratchBytes(spec) bytes of this thread. */
  scratch: 'i32',
  /** Output pixels, whole rows of the map. */
  m0: 'i32',
  m1: 'i32',
} as const;

type Pointers = { readonly [K in keyof typeof PARAMS]: Local<'i32'> };

/** Taps are multiplied in pairs. */
function tapPairs({ kernel }: WindowSpec): number {
  return Math.ceil((kernel[0] * kernel[1]) / 2);
}

/** Weights [channels][taps] to [channels/8][pairs of taps][8 channels][2 taps], padded with zeros. */
export function packDepthwiseWeights(weights: Int8Array, channels: number, taps: number): Int8Array {
  const pairs = Math.ceil(taps / 2);
  const packed = new Int8Array(roundUp(channels, LANES) * pairs * 2);
  for (let channel = 0; channel < channels; channel++) {
    const block = Math.floor(channel / LANES) * pairs * LANES * 2;
    for (let tap = 0; tap < taps; tap++) {
      const at = block + (tap >> 1) * LANES * 2 + (channel % LANES) * 2 + (tap & 1);
      packed[at] = weights[channel * taps + tap]!;
    }
  }
  return packed;
}

export function depthwiseInt8ScratchBytes(spec: DepthwiseInt8Spec): number {
  const { bias, padding } = scratchLayout(spec);
  return padding + bias + spec.width * spec.xStride + 16;
}

function scratchLayout({ channels }: DepthwiseInt8Spec): { bias: number; padding: number } {
  return { bias: BYTE_LIMITS_BYTES, padding: BYTE_LIMITS_BYTES + 4 * roundUp(channels, LANES) };
}

/** A depthwise convolution over bytes for whole rows of output pixels. Exact sums in 32 bits on every CPU. */
export function emitDepthwiseInt8(
  library: KernelLibrary,
  spec: DepthwiseInt8Spec,
): FunctionRef<typeof PARAMS, undefined> {
  return library.once('depthwise int8', spec, (name) => {
    const rowOf = (isSigned: boolean) => emitDepthwiseRow(library, spec, isSigned);
    const unsignedRow = rowOf(false);
    const signedRow = library.rung === 'relaxed' ? rowOf(true) : undefined;
    return library.module.function(name, { params: PARAMS }, (f, p) => {
      const layout = scratchLayout(spec);
      emitByteLimits(library, f, p.scratch, spec.yZeroPoint);
      const scratchAt = (offset: number): Local<'i32'> => f.let(i32.add(p.scratch, offset));
      const bias = emitModeBias(library, f, {
        bias: p.bias,
        colsum: p.colsum,
        scratch: scratchAt(layout.bias),
        n: roundUp(spec.channels, LANES),
      });
      const padding = scratchAt(layout.padding);
      emitPaddingRow(library, f, spec, padding);
      const outY = f.let(i32.divU(p.m0, spec.outWidth));
      const endY = f.let(i32.divU(p.m1, spec.outWidth));
      f.increment(p.y, i32.mul(p.m0, spec.yStride));
      f.whileBelow(outY, endY, 1, () => {
        const rows = Array.from({ length: spec.kernel[0] }, (_, ky) =>
          emitInputRow(f, spec, { x: p.x, outY, padding }, ky),
        );
        const args = {
          ...Object.fromEntries(rows.map((row, ky) => [`row${ky}`, row])),
          padding,
          weights: p.weights,
          bias,
          multiplier: p.multiplier,
          limits: p.scratch,
          y: p.y,
        } as Record<string, Local<'i32'>>;
        if (signedRow) {
          f.if(
            i32.eq(library.mode, MODE.s8),
            () => f.call(signedRow, args),
            () => f.call(unsignedRow, args),
          );
        } else f.call(unsignedRow, args);
        f.increment(p.y, spec.outWidth * spec.yStride);
      });
    });
  });
}

/** A row of the input map that holds nothing but the zero point. */
function emitPaddingRow(
  library: KernelLibrary,
  f: FunctionBuilder,
  spec: DepthwiseInt8Spec,
  address: Local<'i32'>,
): void {
  const vector = emitPadding(library, f, spec.zeroPoint);
  const at = f.let(address);
  const end = f.let(i32.add(address, spec.width * spec.xStride));
  f.whileBelow(at, end, 16, () => f.do(v128.store(at, vector)));
}

/** One row of output pixels, eight channels at a time. */
function emitDepthwiseRow(
  library: KernelLibrary,
  spec: DepthwiseInt8Spec,
  isSigned: boolean,
): FunctionRef<Readonly<Record<string, 'i32'>>, undefined> {
  const { kernel, channels, yStride } = spec;
  const rowNames = Array.from({ length: kernel[0] }, (_, ky) => `row${ky}`);
  const params = Object.fromEntries(
    [...rowNames, 'padding', 'weights', 'bias', 'multiplier', 'limits', 'y'].map(
      (param) => [param, 'i32'] as const,
    ),
  );
  return library.once('depthwise int8 row', { ...spec, isSigned }, (name) =>
    library.module.function(name, { params }, (f, params) => {
      const p = params as Record<string, Local<'i32'>> &
        Pick<Pointers, 'weights' | 'bias' | 'multiplier' | 'y'>;
      const weights = emitPairWeights(f, spec, p.weights);
      const limits = params['limits']!;
      const toBytes = isSigned ? emitToStoredBytes : emitToBytes;
      const rows = rowNames.map((row) => params[row]!);
      const load = (tap: TapAddress): Expr<'v128'> => {
        const { address, offset } = tap ?? { address: params['padding']!, offset: 0 };
        return isSigned ? i16x8.load8x8S(address, offset) : i16x8.load8x8U(address, offset);
      };
      f.whileBelow(f.local('i32'), roundUp(channels, LANES) / LANES, 1, () => {
        weights.load();
        emitWindowColumns(f, spec, { rows, y: p.y, yStride }, (tap, to, offset) => {
          const sums = emitTapSums(f, spec, weights, p.bias, (index) => load(tap(index)));
          const scaled = sums.map((sum, j) =>
            f32x4.mul(f32x4.convertI32x4S(sum), v128.load(p.multiplier, 16 * j)),
          ) as [Expr<'v128'>, Expr<'v128'>];
          f.do(v128.store64Lane(to, toBytes(library, limits, scaled, spec.isRoundable), 0, offset));
        });
        for (const row of rows) f.increment(row, LANES);
        weights.advance();
        f.increment(p.bias, 4 * LANES);
        f.increment(p.multiplier, 4 * LANES);
        f.increment(p.y, LANES);
      });
    }),
  );
}

interface PairWeights {
  /** Once per eight channels. */
  load(): void;
  get(pair: number): readonly [Expr<'v128'>, Expr<'v128'>];
  advance(): void;
}

/** Pairs of taps whose weights stay in registers; those of larger windows are read again for every pixel. */
const PAIRS_IN_REGISTERS = 5;

function emitPairWeights(f: FunctionBuilder, spec: DepthwiseInt8Spec, pointer: Local<'i32'>): PairWeights {
  const pairs = tapPairs(spec);
  const read = (pair: number): readonly [Expr<'v128'>, Expr<'v128'>] => [
    i16x8.load8x8S(pointer, 16 * pair),
    i16x8.load8x8S(pointer, 16 * pair + 8),
  ];
  const held =
    pairs <= PAIRS_IN_REGISTERS
      ? Array.from({ length: pairs }, () => [f.local('v128'), f.local('v128')] as const)
      : undefined;
  return {
    load: () =>
      held?.forEach((vectors, pair) => read(pair).forEach((value, j) => f.set(vectors[j as 0 | 1], value))),
    get: (pair) => held?.[pair] ?? read(pair),
    advance: () => f.increment(pointer, 16 * pairs),
  };
}

const LOW_INTERLEAVED = [0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23];
const HIGH_INTERLEAVED = [8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31];

/** Bias plus the weighted taps of eight channels. */
function emitTapSums(
  f: FunctionBuilder,
  spec: DepthwiseInt8Spec,
  weights: PairWeights,
  bias: Local<'i32'>,
  tap: (index: number) => Expr<'v128'>,
): readonly [Local<'v128'>, Local<'v128'>] {
  const sums = [f.let(v128.load(bias)), f.let(v128.load(bias, 16))] as const;
  const taps = spec.kernel[0] * spec.kernel[1];
  for (let pair = 0; pair < tapPairs(spec); pair++) {
    const a = f.let(tap(2 * pair));
    // The last tap of an odd number has itself as its partner, with weight 0.
    const b = 2 * pair + 1 < taps ? f.let(tap(2 * pair + 1)) : a;
    const vectors = weights.get(pair);
    [LOW_INTERLEAVED, HIGH_INTERLEAVED].forEach((lanes, j) => {
      const products = i32x4.dotI16x8S(i8x16.shuffle(a, b, lanes), vectors[j as 0 | 1]);
      f.set(sums[j as 0 | 1], i32x4.add(sums[j as 0 | 1], products));
    });
  }
  return sums;
}
