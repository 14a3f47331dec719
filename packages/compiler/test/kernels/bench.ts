import { seededRandom } from '../../../test-utils/src/seeded-random.ts';
import {
  attentionScratchBytes,
  convInt8ScratchBytes,
  emitActivateRows,
  emitConvInt8,
  emitWinogradInt8,
  patchBytes,
  tileRowPixels,
  winogradInt8ScratchBytes,
  type ConvInt8Spec,
  emitAttention,
  emitLayerNorm,
  emitLinearF32,
  emitLinearInt8,
  emitLstm,
  emitPackKeys,
  emitQuantizeRows,
  emitSoftmaxRows,
  keyBiasBytes,
  linearInt8ScratchBytes,
  gateColumns,
  LSTM_GATES,
  lstmScratchBytes,
  packedKeysBytes,
  int8PanelBytes,
  packInt8,
  packedValuesBytes,
  quantizedRowBytes,
  type Rung,
} from '../../src/targets/edge/kernels/index.ts';
import { KernelRig, type ModeName, type RigMemory } from './harness.ts';
import { roundUp } from './random-maps.ts';

// How fast the kernels are, alone and hot. benchmarks/kernels.mjs runs this in Node or in Chromium.

export interface KernelSpeed {
  name: string;
  /** Milliseconds of one call when nothing disturbs it (lower decile). */
  milliseconds: number;
  /** 10^9 operations (two per product) or elements per second. */
  rate: number;
  unit: 'GOPS' | 'Gelem/s';
}

interface Timed {
  name: string;
  unit: KernelSpeed['unit'];
  /** Operations or elements of one call. */
  work: number;
  call: () => void;
}

/** Short batches and their lower decile: other programs' turns on the CPU are left out. */
const BATCH_MS = 0.5;
const BATCHES = 300;

function measure({ name, unit, work, call }: Timed): KernelSpeed {
  // V8 needs a while to replace its baseline code.
  const warmUntil = performance.now() + 150;
  let warmCalls = 0;
  const start = performance.now();
  do {
    call();
    warmCalls++;
  } while (performance.now() < warmUntil);
  const perCall = (performance.now() - start) / warmCalls;
  const calls = Math.max(1, Math.ceil(BATCH_MS / perCall));
  const times = Array.from({ length: BATCHES }, () => {
    const from = performance.now();
    for (let index = 0; index < calls; index++) call();
    return (performance.now() - from) / calls;
  }).sort((a, b) => a - b);
  const milliseconds = times[Math.floor(BATCHES / 50)] as number;
  return { name, milliseconds, rate: work / milliseconds / 1e6, unit };
}

const random = seededRandom(1);
const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => random.int(0, 255));

function linearInt8(
  rung: Rung,
  mode: ModeName,
  [rows, k, n]: readonly [number, number, number],
  weightDeviation = 18,
): Timed {
  const rig = new KernelRig(
    rung,
    (library) => emitLinearInt8(library, { k, n, pairs: 'fused', activation: 'none', yStride: n }),
    256,
  );
  rig.setMode(mode);
  const values = Int8Array.from(random.normal(k * n, 0, weightDeviation), (value) =>
    Math.max(-63, Math.min(63, Math.round(value))),
  );
  const panels = new Int8Array(int8PanelBytes(k, n));
  const { pairFlags } = packInt8(values, k, n, panels);
  const args = {
    x: rig.put(bytes(rows * quantizedRowBytes(k))),
    rowScale: rig.put(random.uniform(rows)),
    rowZero: rig.put(new Int32Array(rows).fill(9)),
    weights: rig.put(panels),
    weightScale: rig.put(random.uniform(n)),
    colsum: rig.put(new Int32Array(n)),
    bias: rig.put(random.uniform(n)),
    pairFlags: rig.put(pairFlags),
    residual: 0,
    y: rig.allocate(4 * rows * n),
    scratch: rig.allocate(linearInt8ScratchBytes(k, rows)),
    m0: 0,
    m1: rows,
  };
  return {
    name: `linearInt8 ${rung} ${mode}${weightDeviation === 18 ? '' : ` deviation ${weightDeviation}`} ${rows}x${k}x${n}`,
    unit: 'GOPS',
    work: 2 * rows * k * n,
    call: () => rig.call(args),
  };
}

function linearF32(rung: Rung, [rows, k, n]: readonly [number, number, number]): Timed {
  const rig = new KernelRig(
    rung,
    (library) => emitLinearF32(library, { k, n, activation: 'none', xStride: k, yStride: n }),
    512,
  );
  const args = {
    x: rig.put(random.normal(rows * k)),
    weights: rig.put(random.normal(k * n)),
    bias: rig.put(random.normal(n)),
    residual: 0,
    y: rig.allocate(4 * rows * n),
    m0: 0,
    m1: rows,
  };
  return {
    name: `linearF32 ${rung} ${rows}x${k}x${n}`,
    unit: 'GOPS',
    work: 2 * rows * k * n,
    call: () => rig.call(args),
  };
}

function attention(rung: Rung, heads: number, headSize: number, keys: number): Timed {
  const hidden = heads * headSize;
  const shape = { heads, headSize, keyCapacity: keys };
  const rig = new KernelRig(
    rung,
    (library) => emitAttention(library, { ...shape, scale: 1 / 8, qStride: hidden, yStride: hidden }),
    512,
  );
  const args = {
    q: rig.put(random.normal(keys * hidden)),
    keys: rig.put(random.normal(packedKeysBytes(shape) / 4)),
    values: rig.put(random.normal(packedValuesBytes(shape) / 4)),
    keyBias: rig.put(new Float32Array(keyBiasBytes(keys) / 4)),
    y: rig.allocate(4 * keys * hidden),
    scratch: rig.allocate(attentionScratchBytes(shape)),
    keyCount: keys,
    m0: 0,
    m1: keys,
  };
  return {
    name: `attention ${rung} ${heads}x${headSize} ${keys} keys`,
    unit: 'GOPS',
    work: 4 * keys * keys * hidden,
    call: () => rig.call(args),
  };
}

function rowKernels(rung: Rung, rows: number, n: number): Timed[] {
  const elements = (name: string, call: () => void): Timed => ({
    name: `${name} ${rung} ${rows}x${n}`,
    unit: 'Gelem/s',
    work: rows * n,
    call,
  });
  const range = { m0: 0, m1: rows };
  const quantize = new KernelRig(
    rung,
    (library) => emitQuantizeRows(library, { k: n, xStride: n, quantization: { kind: 'dynamic' } }),
    128,
  );
  const quantizeArgs = {
    x: quantize.put(random.normal(rows * n)),
    bytes: quantize.allocate(rows * n),
    rowScale: quantize.allocate(4 * rows),
    rowZero: quantize.allocate(4 * rows),
    ...range,
  };
  const norm = new KernelRig(
    rung,
    (library) =>
      emitLayerNorm(library, {
        n,
        epsilon: 1e-12,
        xStride: n,
        yStride: n,
        skipStride: n,
        quantization: { kind: 'dynamic' },
      }),
    128,
  );
  const normArgs = {
    x: norm.put(random.normal(rows * n)),
    skip: norm.put(random.normal(rows * n)),
    gamma: norm.put(random.normal(n)),
    beta: norm.put(random.normal(n)),
    y: norm.allocate(4 * rows * n),
    bytes: norm.allocate(rows * n),
    rowScale: norm.allocate(4 * rows),
    rowZero: norm.allocate(4 * rows),
    ...range,
  };
  const gelu = new KernelRig(
    rung,
    (library) => emitActivateRows(library, { activation: 'gelu', n, xStride: n, yStride: n }),
    128,
  );
  const geluArgs = { x: gelu.put(random.normal(rows * n)), y: gelu.allocate(4 * rows * n), ...range };
  const softmax = new KernelRig(
    rung,
    (library) => emitSoftmaxRows(library, { isLog: false, n, xStride: n, yStride: n }),
    128,
  );
  const softmaxArgs = {
    x: softmax.put(random.normal(rows * n)),
    y: softmax.allocate(4 * rows * n),
    ...range,
  };
  const keys = { heads: n / 32, headSize: 32, keyCapacity: rows, xStride: n };
  const pack = new KernelRig(rung, (library) => emitPackKeys(library, keys), 128);
  const packArgs = {
    x: pack.put(random.normal(rows * n)),
    packed: pack.allocate(packedKeysBytes(keys)),
    keyCount: rows,
    ...range,
  };
  return [
    elements('quantizeRows', () => quantize.call(quantizeArgs)),
    elements('addLayerNormQuantize', () => norm.call(normArgs)),
    elements('gelu', () => gelu.call(geluArgs)),
    elements('softmaxRows', () => softmax.call(softmaxArgs)),
    elements('packKeys', () => pack.call(packArgs)),
  ];
}

const SHAPES = [
  [128, 768, 768],
  [128, 384, 1536],
  [128, 1536, 384],
  [32, 384, 384],
  [16, 768, 3072],
] as const;

/** All measurements whose name contains the filter. `modes` are those to time even where they are not exact. */
/** One step; the products are those of the state. */
function lstm(rung: Rung, hidden: number): Timed {
  const spec = { hidden, steps: 1, reverse: false, batch: 1, yStride: hidden };
  const rig = new KernelRig(rung, (library) => emitLstm(library, spec));
  const columns = gateColumns(LSTM_GATES, hidden);
  const args = {
    gates: rig.put(random.normal(columns)),
    weights: rig.put(random.normal(columns * hidden)),
    weightScale: 0,
    colsum: 0,
    pairFlags: 0,
    h: rig.put(random.uniform(hidden, -1, 1)),
    c: rig.put(random.normal(hidden)),
    y: rig.allocate(4 * hidden),
    cell: rig.allocate(4 * hidden),
    scratch: rig.allocate(lstmScratchBytes(spec)),
  };
  return {
    name: `lstm ${rung} ${hidden}`,
    unit: 'GOPS',
    work: 2 * columns * hidden,
    call: () => rig.call(args),
  };
}

/** 3×3 convolutions over bytes, as they are and by Winograd's method, in blocks as programs have them. */
function convInt8(
  rung: Rung,
  mode: ModeName,
  [size, channels, n]: readonly [number, number, number],
): Timed[] {
  const stride = roundUp(channels, 16);
  const yStride = roundUp(n, 16);
  const window = {
    height: size,
    width: size,
    xStride: stride,
    tapBytes: channels,
    kernel: [3, 3],
    strides: [1, 1],
    dilations: [1, 1],
    pads: [1, 1],
    outWidth: size,
    zeroPoint: 3,
  } as const;
  const shared = { n, isRoundable: true, zeroPoint: 100, yStride, window };
  const direct: ConvInt8Spec = { ...shared, isDotOnly: false, pairs: mode === 'pairs' ? 'fused' : 'none' };
  const k = patchBytes(window);
  const values = Int8Array.from(random.normal(k * n, 0, 18), (value) =>
    Math.max(-63, Math.min(63, Math.round(value))),
  );
  const panels = new Int8Array(int8PanelBytes(k, n));
  const { pairFlags } = packInt8(values, k, n, panels);
  const time = (name: string, unit: number, open: (pixels: number) => OpenedConv): Timed => {
    const block = Math.min(size * size, Math.max(unit, 120 - (120 % unit)));
    const { rig, scratchBytes, call } = open(block);
    rig.setMode(mode);
    const args = {
      x: rig.put(bytes(size * size * stride)),
      weights: rig.put(panels),
      pairFlags: rig.put(pairFlags),
      bias: rig.put(new Int32Array(roundUp(n, 8))),
      colsum: rig.put(new Int32Array(roundUp(n, 8))),
      multiplier: rig.put(random.uniform(roundUp(n, 8), 0.0001, 0.001)),
      y: rig.allocate(size * size * yStride),
      scratch: rig.allocate(scratchBytes),
    };
    return {
      name: `convInt8 ${rung} ${mode} ${name} ${size}x${size} ${channels}->${n}`,
      unit: 'GOPS',
      work: 2 * size * size * 9 * channels * n,
      call: () => {
        for (let m0 = 0; m0 < size * size; m0 += block)
          call({ ...args, m0, m1: Math.min(size * size, m0 + block) });
      },
    };
  };
  return [
    time('direct', 1, (pixels) => {
      const rig = new KernelRig(rung, (library) => emitConvInt8(library, direct, pixels), 512);
      return { rig, scratchBytes: convInt8ScratchBytes(direct, pixels), call: (args) => rig.call(args) };
    }),
    time('winograd', tileRowPixels(window), (pixels) => {
      const rig = new KernelRig(rung, (library) => emitWinogradInt8(library, shared, pixels), 512);
      return { rig, scratchBytes: winogradInt8ScratchBytes(shared, pixels), call: (args) => rig.call(args) };
    }),
  ];
}

/** A kernel of a convolution, for blocks of some size. */
interface OpenedConv {
  rig: RigMemory;
  scratchBytes: number;
  call: (args: Record<ConvArgument, number>) => void;
}

type ConvArgument =
  | 'x'
  | 'weights'
  | 'pairFlags'
  | 'bias'
  | 'colsum'
  | 'multiplier'
  | 'y'
  | 'scratch'
  | 'm0'
  | 'm1';

const CONV_SHAPES = [
  [224, 64, 64],
  [54, 16, 64],
  [27, 48, 192],
  [13, 64, 256],
  [32, 16, 16],
  [16, 32, 32],
  [8, 64, 64],
  [7, 32, 32],
] as const;

/** Rows of one: heads of classifiers, one step of a recurrent layer. */
const SINGLE_ROWS = [
  [1, 128, 512],
  [1, 257, 512],
  [1, 384, 384],
] as const;

export function kernelSpeeds(
  filter = '',
  modes: readonly ModeName[] = ['i16', 'pairs', 'u8'],
): KernelSpeed[] {
  const timed: Timed[] = [];
  for (const shape of SHAPES) {
    for (const mode of modes) timed.push(linearInt8('relaxed', mode, shape));
    timed.push(linearInt8('relaxed', 'pairs', shape, 60));
    timed.push(linearInt8('simd', 'i16', shape), linearF32('simd', shape));
  }
  timed.push(attention('simd', 12, 32, 128), attention('simd', 12, 64, 128), attention('simd', 12, 32, 512));
  timed.push(attention('simd', 12, 32, 16));
  timed.push(...SINGLE_ROWS.map((shape) => linearF32('simd', shape)), lstm('simd', 128));
  for (const shape of CONV_SHAPES)
    timed.push(...convInt8('simd', 'i16', shape), ...convInt8('relaxed', 'pairs', shape));
  timed.push(...rowKernels('simd', 128, 384), ...rowKernels('simd', 128, 1536));
  return timed.filter(({ name }) => name.includes(filter)).map(measure);
}
