import { seededRandom, type SeededRandom } from '../../../test-utils/src/seeded-random.ts';
import {
  attentionScratchBytes,
  emitActivateRows,
  emitAttention,
  emitBinaryRows,
  emitEmbedLayerNorm,
  emitExpandInt4,
  emitKeyBias,
  emitLayerNorm,
  emitLinearF32,
  emitLinearInt8,
  emitPackKeys,
  emitPackValues,
  emitQuantizeRows,
  emitSoftmaxRows,
  keyBiasBytes,
  linearInt8ScratchBytes,
  packedKeysBytes,
  packedValuesBytes,
  packFloatWeights,
  packInt4Weights,
  packInt8,
  packMultipliers,
  int8PanelBytes,
  quantizedRowBytes,
  type ActivationQuantization,
  type EmbedLayerNormSpec,
  type NamedActivation,
  type Rung,
} from '../../src/targets/edge/kernels/index.ts';
import * as reference from '../../src/targets/edge/reference/index.ts';
import { expectSame, type KernelCase } from './case.ts';
import { exactModes, KernelRig, type ModeName, type RigMemory } from './harness.ts';
import { mapCases } from './map-cases.ts';
import { recurrentCases } from './recurrent-cases.ts';

// Every kernel against its plain reference, to the bit, over seeded shapes. One list of cases for Node and Chromium.

const ROWS = [1, 2, 5, 6, 7, 8, 13, 31];
const padded = (columns: number): number => Math.ceil(columns / 8) * 8;

/** Values whose magnitudes differ between rows, with a few outliers. */
function activations(random: SeededRandom, rows: number, columns: number): Float32Array {
  const x = random.normal(rows * columns, 0.3, 2);
  for (let row = 0; row < rows; row++) {
    const factor = random.pick([0.01, 1, 1, 30]);
    for (let column = 0; column < columns; column++) x[row * columns + column]! *= factor;
  }
  return x;
}

/** Rows [m0, m1) in two calls, as threads share them out; a single row in one. */
function rowRanges(rows: number): [number, number][] {
  const middle = Math.floor(rows / 3);
  return middle === 0
    ? [[0, rows]]
    : [
        [0, middle],
        [middle, rows],
      ];
}

const QUANTIZATIONS: ActivationQuantization[] = [
  { kind: 'dynamic' },
  { kind: 'static', scale: 0.037, zeroPoint: 101 },
];

function quantizeCase(rung: Rung, seed: number, k: number, quantization: ActivationQuantization): KernelCase {
  return {
    name: `quantizeRows ${quantization.kind} k=${k} seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const rows = random.pick(ROWS);
      const stride = padded(k) + random.pick([0, 8]);
      const x = activations(random, rows, k);
      if (rows > 1) x.fill(0, k, 2 * k);
      const rig = new KernelRig(rung, (library) =>
        emitQuantizeRows(library, { k, xStride: stride, quantization }),
      );
      const expected = reference.quantizeRows(x, rows, k, quantization);
      const address = rig.put(x, k, stride);
      for (const mode of ['i16', 's8'] as const) {
        const bytes = rig.allocate(rows * quantizedRowBytes(k));
        const [rowScale, rowZero] = [rig.allocate(4 * rows), rig.allocate(4 * rows)];
        rig.setMode(mode);
        for (const [m0, m1] of rowRanges(rows)) rig.call({ x: address, bytes, rowScale, rowZero, m0, m1 });
        const offset = mode === 's8' ? 128 : 0;
        const wanted = new Uint8Array(rows * quantizedRowBytes(k));
        expected.values.forEach((value, index) => {
          wanted[Math.floor(index / k) * quantizedRowBytes(k) + (index % k)] = value ^ offset;
        });
        expectSame(rig.rawBytes(bytes, wanted.length), wanted, `bytes in mode ${mode}`);
        expectSame(rig.floats(rowScale, 1, rows, rows), expected.scale, 'row scale');
        expectSame(
          rig.ints(rowZero, rows),
          expected.zero.map((zero) => zero - offset),
          'row zero',
        );
      }
      rig.checkGuards();
    },
  };
}

interface LinearShape {
  rows: number;
  k: number;
  n: number;
}

interface LinearInt8Options {
  bits: 7 | 8;
  activation: NamedActivation;
  residual: boolean;
  panels: boolean;
  /** Every weight and activation at the end of its range: the largest sums there are. */
  extreme: boolean;
  /** Largest weight: up to 32 any two products fit into 16 bits, beyond it depends. */
  limit: number;
}

function linearInt8Case(
  rung: Rung,
  modes: readonly ModeName[],
  seed: number,
  shape: LinearShape,
  options: LinearInt8Options,
): KernelCase {
  const { rows, k, n } = shape;
  const { bits, activation, residual, panels, extreme, limit } = options;
  const details = `${rows}x${k}x${n} w${bits} ${activation}${residual ? ' residual' : ''}${panels ? ' panels' : ''}`;
  return {
    name: `linearInt8 ${details}${extreme ? ' extreme' : ''} up to ${limit} seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const lowest = limit === 63 ? -64 : -limit;
      const values = Int8Array.from({ length: k * n }, () =>
        extreme ? random.pick([lowest, lowest, limit]) : random.int(lowest, limit),
      );
      const weights = {
        k,
        n,
        values,
        scale: random.uniform(n, 0.001, 0.02),
        bias: random.normal(n),
      };
      const x = {
        values: Uint8Array.from({ length: rows * k }, () =>
          extreme ? random.pick([0, 255, 255]) : random.int(0, 255),
        ),
        scale: random.uniform(rows, 0.001, 0.1),
        zero: Int32Array.from({ length: rows }, () => random.pick([0, 255, random.int(0, 255)])),
      };
      const residualRows = residual ? random.normal(rows * n) : undefined;
      const expected = reference.linearInt8(x, weights, activation, residualRows);

      const panelRows = rows + 3;
      const yStride = padded(n) + 8;
      const residualStride = padded(n);
      const rig = new KernelRig(rung, (library) =>
        emitLinearInt8(library, {
          k,
          n,
          bits,
          activation,
          yStride,
          ...(residual ? { residualStride } : {}),
          ...(panels ? { panelRows } : {}),
        }),
      );
      const column = (array: Float32Array): number => rig.put(paddedTo8(array));
      const packed = new Int8Array(int8PanelBytes(k, n));
      const { columnSums, pairFlags } = packInt8(values, k, n, packed);
      const fixed = {
        rowScale: rig.put(x.scale),
        weights: rig.put(packed),
        weightScale: column(weights.scale),
        colsum: rig.put(columnSums),
        bias: column(weights.bias),
        pairFlags: bits === 7 ? rig.put(pairFlags) : 0,
        residual: residualRows ? rig.put(residualRows, n, residualStride) : 0,
        scratch: rig.allocate(linearInt8ScratchBytes(k, rows)),
      };
      for (const mode of modes) {
        rig.setMode(mode);
        const offset = mode === 's8' ? 128 : 0;
        const y = rig.allocate(panels ? panelRows * padded(n) * 4 : rows * yStride * 4);
        const args = {
          ...fixed,
          x: rig.put(
            x.values.map((value) => value ^ offset),
            k,
            quantizedRowBytes(k),
          ),
          rowZero: rig.put(x.zero.map((zero) => zero - offset)),
          y,
        };
        for (const [m0, m1] of rowRanges(rows)) rig.call({ ...args, m0, m1 });
        const actual = panels ? fromPanels(rig, y, rows, n, panelRows) : rig.floats(y, rows, n, yStride);
        expectSame(actual, expected, `mode ${mode}`);
        rig.checkGuards();
      }
    },
  };
}

function paddedTo8(array: Float32Array): Float32Array {
  const longer = new Float32Array(padded(array.length)).fill(Number.NaN);
  longer.set(array);
  return longer;
}

function fromPanels(rig: RigMemory, y: number, rows: number, n: number, panelRows: number): Float32Array {
  const result = new Float32Array(rows * n);
  const all = new Float32Array(rig.memory.buffer, y);
  result.forEach((_, index) => {
    const [row, column] = [Math.floor(index / n), index % n];
    result[index] = all[((column >> 3) * panelRows + row) * 8 + (column & 7)] as number;
  });
  return result;
}

function linearF32Case(
  rung: Rung,
  seed: number,
  shape: LinearShape,
  activation: NamedActivation,
): KernelCase {
  const { rows, k, n } = shape;
  return {
    name: `linearF32 ${rows}x${k}x${n} ${activation} seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const weights = { k, n, values: random.normal(k * n), bias: random.normal(n) };
      const x = activations(random, rows, k);
      const residual = random.normal(rows * n);
      const [xStride, yStride] = [padded(k) + 8, padded(n)];
      const panels = seed % 2 === 0;
      const rig = new KernelRig(rung, (library) =>
        emitLinearF32(library, {
          k,
          n,
          activation,
          xStride,
          yStride,
          residualStride: yStride,
          ...(panels ? { panelRows: rows } : {}),
        }),
      );
      const y = rig.allocate(4 * rows * yStride);
      const args = {
        x: rig.put(x, k, xStride),
        weights: rig.put(packFloatWeights(weights.values, k, n)),
        bias: rig.put(paddedTo8(weights.bias)),
        residual: rig.put(residual, n, yStride),
        y,
      };
      for (const [m0, m1] of rowRanges(rows)) rig.call({ ...args, m0, m1 });
      const actual = panels ? fromPanels(rig, y, rows, n, rows) : rig.floats(y, rows, n, yStride);
      expectSame(actual, reference.linearF32(x, weights, activation, residual), 'y');
      rig.checkGuards();
    },
  };
}

function layerNormCase(rung: Rung, seed: number, n: number): KernelCase {
  return {
    name: `layerNorm n=${n} seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const rows = random.pick(ROWS);
      const stride = padded(n) + 8;
      const x = activations(random, rows, n);
      const skip = seed % 2 === 0 ? activations(random, rows, n) : undefined;
      const normalization = { n, epsilon: 1e-12, gamma: random.normal(n, 1), beta: random.normal(n) };
      const quantization = QUANTIZATIONS[seed % 3] ?? undefined;
      const rig = new KernelRig(rung, (library) =>
        emitLayerNorm(library, {
          n,
          epsilon: 1e-12,
          xStride: stride,
          yStride: stride,
          ...(skip ? { skipStride: stride } : {}),
          ...(quantization ? { quantization } : {}),
        }),
      );
      const args = {
        x: rig.put(x, n, stride),
        skip: skip ? rig.put(skip, n, stride) : 0,
        gamma: rig.put(paddedTo8(normalization.gamma)),
        beta: rig.put(paddedTo8(normalization.beta)),
        y: rig.allocate(4 * rows * stride),
        bytes: rig.allocate(rows * quantizedRowBytes(n)),
        rowScale: rig.allocate(4 * rows),
        rowZero: rig.allocate(4 * rows),
      };
      for (const [m0, m1] of rowRanges(rows)) rig.call({ ...args, m0, m1 });
      const expected = reference.layerNorm(x, normalization, skip);
      expectSame(rig.floats(args.y, rows, n, stride), expected, 'y');
      if (quantization) {
        const quantized = reference.quantizeRows(expected, rows, n, quantization);
        const bytes = rig.rawBytes(args.bytes, rows * quantizedRowBytes(n));
        expectSame(
          quantized.values.map((_, i) => bytes[Math.floor(i / n) * quantizedRowBytes(n) + (i % n)] as number),
          quantized.values,
          'bytes',
        );
        expectSame(rig.floats(args.rowScale, 1, rows, rows), quantized.scale, 'row scale');
        expectSame(rig.ints(args.rowZero, rows), quantized.zero, 'row zero');
      }
      rig.checkGuards();
    },
  };
}

function elementwiseCase(rung: Rung, seed: number, activation: Exclude<NamedActivation, 'none'>): KernelCase {
  return {
    name: `activateRows ${activation} seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const n = random.int(1, 70);
      const x = new Float32Array([
        ...random.normal(5 * n, 0, 3),
        ...Array.from(
          { length: n },
          (_, i) => [0, -0, 1e30, -1e30, 1e-30, -1e-40, 88, -88, 126.7][i % 9] as number,
        ),
      ]);
      const stride = padded(n);
      const rig = new KernelRig(rung, (library) =>
        emitActivateRows(library, { activation, n, xStride: stride, yStride: stride }),
      );
      const address = rig.put(x, n, stride);
      rig.call({ x: address, y: address, m0: 0, m1: 6 });
      expectSame(rig.floats(address, 6, n, stride), reference.activate(x, activation), activation);
      rig.checkGuards();
    },
  };
}

function softmaxAndBinaryCase(rung: Rung, seed: number, n: number): KernelCase {
  return {
    name: `softmaxRows and binaryRows n=${n} seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const rows = 4;
      const stride = padded(n);
      const [a, b] = [random.normal(rows * n, 0, 9), random.normal(rows * n)];
      a[0] = -1000;
      const softmax = new KernelRig(rung, (library) =>
        emitSoftmaxRows(library, { n, xStride: stride, yStride: stride }),
      );
      const x = softmax.put(a, n, stride);
      softmax.call({ x, y: x, m0: 0, m1: rows });
      expectSame(softmax.floats(x, rows, n, stride), reference.softmaxRows(a, n), 'softmax');
      softmax.checkGuards();
      for (const operator of ['add', 'sub', 'mul', 'div'] as const) {
        for (const isRepeated of [false, true]) {
          const spec = { operator, n, aStride: stride, bStride: isRepeated ? 0 : stride, yStride: stride };
          const rig = new KernelRig(rung, (library) => emitBinaryRows(library, spec));
          const y = rig.allocate(4 * rows * stride);
          rig.call({ a: rig.put(a, n, stride), b: rig.put(b, n, stride), y, m0: 0, m1: rows });
          const expected = reference.binaryRows(a, isRepeated ? b.subarray(0, n) : b, operator);
          expectSame(rig.floats(y, rows, n, stride), expected, operator);
          rig.checkGuards();
        }
      }
    },
  };
}

interface AttentionOptions {
  heads: number;
  headSize: number;
  keys: number;
  queries: number;
  mask: 'none' | 'some' | 'all';
}

function attentionCase(rung: Rung, seed: number, options: AttentionOptions): KernelCase {
  const { heads, headSize, keys, queries, mask } = options;
  return {
    name: `attention ${heads}x${headSize} ${queries} of ${keys} keys, mask ${mask} seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const hidden = heads * headSize;
      const stride = padded(hidden) + 8;
      const scale = 1 / Math.sqrt(headSize);
      const heading = { heads, headSize, keyCapacity: keys + random.pick([0, 1, 5]) };
      const [q, k, v] = [
        random.normal(queries * hidden, 0, 2),
        random.normal(keys * hidden, 0, 2),
        random.normal(keys * hidden),
      ];
      const keep = Array.from({ length: keys }, () => mask === 'none' || (mask === 'some' && random() < 0.6));
      const packKeys = emitterOf(rung, (library) => emitPackKeys(library, { ...heading, xStride: stride }));
      const packValues = emitterOf(rung, (library) =>
        emitPackValues(library, { ...heading, xStride: stride }),
      );
      const keyBias = emitterOf(rung, (library) =>
        emitKeyBias(library, { mask: mask === 'none' ? 'none' : 'i32' }),
      );
      const rig = new KernelRig(rung, (library) =>
        emitAttention(library, { ...heading, scale, qStride: stride, yStride: stride }),
      );
      const args = {
        q: rig.put(q, hidden, stride),
        keys: rig.allocate(packedKeysBytes(heading)),
        values: rig.allocate(packedValuesBytes(heading)),
        keyBias: rig.allocate(keyBiasBytes(heading.keyCapacity)),
        y: rig.allocate(4 * queries * stride),
        scratch: rig.allocate(attentionScratchBytes(heading)),
        keyCount: keys,
      };
      const [kRows, vRows] = [rig.put(k, hidden, stride), rig.put(v, hidden, stride)];
      const maskValues = rig.put(Int32Array.from(keep, Number));
      for (const [m0, m1] of rowRanges(keys)) {
        packKeys(rig.memory, { x: kRows, packed: args.keys, keyCount: keys, m0, m1 });
        packValues(rig.memory, { x: vRows, packed: args.values, keyCount: keys, m0, m1 });
      }
      keyBias(rig.memory, { mask: maskValues, bias: args.keyBias, keyCount: keys });
      for (const [m0, m1] of rowRanges(queries)) rig.call({ ...args, m0, m1 });
      const expected = reference.attention(q, k, v, { heads, headSize, scale }, keep);
      expectSame(rig.floats(args.y, queries, hidden, stride), expected, 'y');
      if (mask === 'all' && expected.some((value) => value !== 0)) throw new Error('all dropped, but not 0');
      rig.checkGuards();
    },
  };
}

/** Another kernel, to be run on the memory of a rig. */
function emitterOf<P extends Parameters<typeof KernelRig.prototype.call>[0]>(
  rung: Rung,
  emit: ConstructorParameters<typeof KernelRig>[1],
): (memory: WebAssembly.Memory, args: P) => void {
  const { bytes, paramNames } = new KernelRig(rung, emit);
  const module = new WebAssembly.Module(bytes);
  return (memory, args) => {
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    const kernel = exports['kernel'] as (...values: number[]) => void;
    kernel(...paramNames.map((name) => (args as Record<string, number>)[name] as number));
  };
}

function embedCase(rung: Rung, seed: number): KernelCase {
  return {
    name: `embedLayerNorm seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const n = random.pick([3, 8, 20, 64]);
      const rows = random.int(1, 12);
      const storages = ['f32', 'int8', 'int4'] as const;
      const makeTable = (
        tableRows: number,
      ): { storage: (typeof storages)[number]; table: reference.Table } => {
        const storage = random.pick(storages);
        if (storage === 'f32') return { storage, table: { values: random.normal(tableRows * n) } };
        const limit = storage === 'int8' ? 127 : 7;
        const values = Int8Array.from({ length: tableRows * n }, () => random.int(-limit - 1, limit));
        return { storage, table: { values, scale: random.uniform(tableRows, 0.001, 0.1) } };
      };
      const tables = [makeTable(11), makeTable(2), makeTable(20)] as const;
      const positions: EmbedLayerNormSpec['positions'] =
        seed % 2 === 0 ? { kind: 'arange' } : { kind: 'offset-nonpad', paddingIndex: 1 };
      const ids = Int32Array.from({ length: rows }, () => random.pick([0, 1, 1, 2, 5, 10, 11, -1]));
      const types = Int32Array.from({ length: rows }, () => random.int(0, 1));
      const normalization = { n, epsilon: 1e-5, gamma: random.normal(n, 1), beta: random.normal(n) };
      const rig = new KernelRig(rung, (library) =>
        emitEmbedLayerNorm(library, {
          n,
          epsilon: 1e-5,
          word: { rows: 11, storage: tables[0].storage },
          ...(seed % 3 ? { tokenType: { rows: 2, storage: tables[1].storage } } : {}),
          ...(seed % 5 ? { position: { rows: 20, storage: tables[2].storage } } : {}),
          positions,
          yStride: padded(n),
          quantization: { kind: 'dynamic' },
        }),
      );
      const [word, type, position] = tables.map(({ storage, table }) => putTable(rig, storage, table, n));
      const args = {
        ids: rig.put(ids),
        tokenTypes: rig.put(types),
        word: word?.address ?? 0,
        wordScale: word?.scale ?? 0,
        tokenType: type?.address ?? 0,
        tokenTypeScale: type?.scale ?? 0,
        position: position?.address ?? 0,
        positionScale: position?.scale ?? 0,
        gamma: rig.put(paddedTo8(normalization.gamma)),
        beta: rig.put(paddedTo8(normalization.beta)),
        y: rig.allocate(4 * rows * padded(n)),
        bytes: rig.allocate(rows * quantizedRowBytes(n)),
        rowScale: rig.allocate(4 * rows),
        rowZero: rig.allocate(4 * rows),
      };
      for (const [m0, m1] of rowRanges(rows)) rig.call({ ...args, m0, m1 });
      const expected = reference.embedLayerNorm(
        {
          ids,
          word: tables[0].table,
          positions,
          ...(seed % 3 ? { tokenTypes: { ids: types, table: tables[1].table } } : {}),
          ...(seed % 5 ? { position: tables[2].table } : {}),
        },
        normalization,
      );
      expectSame(rig.floats(args.y, rows, n, padded(n)), expected, 'y');
      const quantized = reference.quantizeRows(expected, rows, n, { kind: 'dynamic' });
      expectSame(rig.floats(args.rowScale, 1, rows, rows), quantized.scale, 'row scale');
      rig.checkGuards();
    },
  };
}

function putTable(
  rig: RigMemory,
  storage: 'f32' | 'int8' | 'int4',
  { values, scale }: reference.Table,
  n: number,
): { address: number; scale: number } {
  const address =
    storage === 'int4' ? rig.put(nibbles(values, n), padded(n) / 2) : rig.put(values, n, padded(n));
  return { address, scale: scale ? rig.put(scale) : 0 };
}

function nibbles(values: ArrayLike<number>, n: number): Uint8Array {
  const rows = values.length / n;
  const bytes = new Uint8Array((rows * padded(n)) / 2);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < n; column++) {
      const at = (row * padded(n)) / 2 + (column >> 1);
      bytes[at]! |= ((values[row * n + column] as number) & 15) << (4 * (column & 1));
    }
  }
  return bytes;
}

function expandCase(rung: Rung, seed: number, k: number, n: number): KernelCase {
  return {
    name: `expandInt4 ${k}x${n} seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const stored = Int8Array.from({ length: k * n }, () => random.int(-8, 7));
      const multipliers = Uint8Array.from({ length: Math.ceil(k / 32) * n }, () => random.int(1, 15));
      const expanded = stored.map(
        (value, i) => value * (multipliers[Math.floor(Math.floor(i / n) / 32) * n + (i % n)] as number),
      );
      const expected = new Int8Array(int8PanelBytes(k, n));
      packInt8(expanded, k, n, expected);
      const rig = new KernelRig(rung, emitExpandInt4);
      const weights = rig.allocate(expected.length);
      new Uint8Array(rig.memory.buffer).set(packInt4Weights(stored, k, n), weights + expected.length / 2);
      rig.call({
        weights,
        multipliers: rig.put(packMultipliers(multipliers, k, n)),
        panels: Math.ceil(n / 8),
        steps: Math.ceil(k / 4),
      });
      expectSame(Int8Array.from(rig.rawBytes(weights, expected.length)), expected, 'weights');
      rig.checkGuards();
    },
  };
}

const ALL_ACTIVATIONS: NamedActivation[] = [
  'none',
  'relu',
  'gelu',
  'gelu_tanh',
  'tanh',
  'sigmoid',
  'silu',
  'hard_swish',
  'sqrt',
  'log',
  'exp',
];

const LINEAR_SHAPES: LinearShape[] = [
  { rows: 1, k: 1, n: 1 },
  { rows: 1, k: 5, n: 7 },
  { rows: 2, k: 4, n: 8 },
  { rows: 3, k: 16, n: 9 },
  { rows: 7, k: 33, n: 17 },
  { rows: 13, k: 64, n: 24 },
  { rows: 5, k: 1, n: 40 },
  { rows: 19, k: 12, n: 3 },
  { rows: 6, k: 8, n: 16 },
  { rows: 29, k: 100, n: 31 },
];

/** All cases of a rung; the integer ones run in every mode that is exact on this machine. */
export function kernelCases(rung: Rung): KernelCase[] {
  const modes = exactModes(rung);
  const random = seededRandom(20260731);
  const cases: KernelCase[] = [];
  let seed = 0;
  for (const quantization of QUANTIZATIONS) {
    for (const k of [1, 3, 4, 7, 8, 15, 16, 17, 31, 48, 100])
      cases.push(quantizeCase(rung, ++seed, k, quantization));
  }
  const randomShapes = Array.from({ length: 12 }, () => ({
    rows: random.int(1, 40),
    k: random.int(1, 90),
    n: random.int(1, 50),
  }));
  for (const shape of [...LINEAR_SHAPES, ...randomShapes]) {
    for (const bits of [7, 8] as const) {
      for (const extreme of [false, true]) {
        const activation = extreme ? 'none' : random.pick(ALL_ACTIVATIONS);
        const limit = bits === 7 ? random.pick([63, 40, 32]) : 127;
        cases.push(
          linearInt8Case(rung, modes[bits], ++seed, shape, {
            bits,
            activation,
            extreme,
            residual: random() < 0.4,
            panels: random() < 0.4,
            limit,
          }),
        );
      }
    }
    cases.push(linearF32Case(rung, ++seed, shape, random.pick(ALL_ACTIVATIONS)));
  }
  for (const n of [1, 2, 4, 7, 8, 9, 13, 24, 64, 100]) {
    cases.push(
      layerNormCase(rung, ++seed, n),
      layerNormCase(rung, ++seed, n),
      layerNormCase(rung, ++seed, n),
    );
    cases.push(softmaxAndBinaryCase(rung, ++seed, n));
  }
  for (const activation of ALL_ACTIVATIONS) {
    if (activation !== 'none') cases.push(elementwiseCase(rung, ++seed, activation));
  }
  for (const mask of ['none', 'some', 'all'] as const) {
    for (const [heads, headSize] of [
      [1, 1],
      [2, 3],
      [3, 4],
      [2, 8],
      [2, 12],
      [1, 32],
    ] as const) {
      for (const keys of [1, 5, 8, random.int(9, 40)]) {
        const queries = random.pick([1, keys, random.int(2, 45)]);
        cases.push(attentionCase(rung, ++seed, { heads, headSize, keys, queries, mask }));
      }
    }
  }
  for (let index = 0; index < 30; index++) cases.push(embedCase(rung, ++seed));
  for (const [k, n] of [
    [1, 1],
    [4, 8],
    [33, 9],
    [64, 16],
    [100, 31],
  ] as const) {
    cases.push(expandCase(rung, ++seed, k, n));
  }
  return [...cases, ...mapCases(rung), ...recurrentCases(rung)];
}
