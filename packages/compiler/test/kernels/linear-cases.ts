import { seededRandom } from '../../../test-utils/src/seeded-random.ts';
import {
  BROWSER_TILE,
  emitExpandInt4,
  emitLinearF32,
  emitLinearInt8,
  emitQuantizeRows,
  linearInt8ScratchBytes,
  NODE_TILE,
  packFloatWeights,
  packInt4Weights,
  packInt8,
  pairFormOf,
  packMultipliers,
  int8PanelBytes,
  quantizedRowBytes,
  type ActivationQuantization,
  type KernelLibrary,
  type NamedActivation,
  type Rung,
} from '../../src/targets/edge/kernels/index.ts';
import * as reference from '../../src/targets/edge/reference/index.ts';
import { expectSame, type KernelCase } from './case.ts';
import { pairedWith, type WeightKind } from './random-maps.ts';
import { KernelRig, type ModeName, type RigMemory } from './harness.ts';
import { ROWS, padded, activations, rowRanges, paddedTo8 } from './random-rows.ts';

// Matrix products and what prepares their operands, as cases.ts.

export function quantizeCase(
  rung: Rung,
  seed: number,
  k: number,
  quantization: ActivationQuantization,
): KernelCase {
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

export interface LinearShape {
  rows: number;
  k: number;
  n: number;
}

interface LinearInt8Options {
  weights: WeightKind;
  activation: NamedActivation;
  residual: boolean;
  panels: boolean;
  /** Every weight and activation at the end of its range: the largest sums there are. */
  extreme: boolean;
  /** Largest weight: up to 32 any two products fit into 16 bits, beyond it depends. */
  limit: number;
}

export function linearInt8Case(
  rung: Rung,
  modes: readonly ModeName[],
  seed: number,
  shape: LinearShape,
  options: LinearInt8Options,
): KernelCase {
  const { rows, k, n } = shape;
  const { weights: kind, activation, residual, panels, extreme, limit } = options;
  const details = `${rows}x${k}x${n} w${kind} ${activation}${residual ? ' residual' : ''}${panels ? ' panels' : ''}`;
  return {
    name: `linearInt8 ${details}${extreme ? ' extreme' : ''} up to ${limit} seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const lowest = limit === 63 ? -64 : -limit;
      const values = Int8Array.from({ length: k * n }, () =>
        extreme ? random.pick([lowest, lowest, limit]) : random.int(lowest, limit),
      );
      values.forEach((value, index) => {
        const isSecond = Math.floor(index / n) % 2 === 1;
        if (kind === 'paired' && isSecond) values[index] = pairedWith(values[index - n]!, value);
      });
      const pairs = pairFormOf(values, n);
      if (kind !== 8 && pairs === 'none') throw new Error('these weights should fit pairs');
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
          pairs,
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
        pairFlags: pairs === 'fused' ? rig.put(pairFlags) : 0,
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

function fromPanels(rig: RigMemory, y: number, rows: number, n: number, panelRows: number): Float32Array {
  const result = new Float32Array(rows * n);
  const all = new Float32Array(rig.memory.buffer, y);
  result.forEach((_, index) => {
    const [row, column] = [Math.floor(index / n), index % n];
    result[index] = all[((column >> 3) * panelRows + row) * 8 + (column & 7)] as number;
  });
  return result;
}

export function linearF32Case(
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
      const spec = { k, n, activation, xStride, yStride, residualStride: yStride };
      for (const tile of [BROWSER_TILE, NODE_TILE]) {
        const emit = (library: KernelLibrary): ReturnType<typeof emitLinearF32> =>
          emitLinearF32(library, panels ? { ...spec, panelRows: rows } : spec);
        const rig = new KernelRig(rung, emit, 64, tile);
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
        expectSame(actual, reference.linearF32(x, weights, activation, residual), `y, ${tile.height} rows`);
        rig.checkGuards();
      }
    },
  };
}

export function expandCase(rung: Rung, seed: number, k: number, n: number): KernelCase {
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
