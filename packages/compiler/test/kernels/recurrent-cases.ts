import { seededRandom, type SeededRandom } from '../../../test-utils/src/seeded-random.ts';
import {
  emitLstm,
  int8PanelBytes,
  lstmGateColumns,
  lstmScratchBytes,
  packInt8,
  packLstmGates,
  type LstmSpec,
  type Rung,
} from '../../src/targets/edge/kernels/index.ts';
import type { Params } from '../../src/wasm/index.ts';
import * as reference from '../../src/targets/edge/reference/index.ts';
import { expectSame, type KernelCase } from './case.ts';
import { exactModes, KernelRig, type ModeName } from './harness.ts';

// Layers with a memory, as cases.ts.

const GATES = 4;
const padded = (columns: number): number => Math.ceil(columns / 8) * 8;

function lstmCase(
  rung: Rung,
  modes: Record<7 | 8, ModeName[]>,
  seed: number,
  { hidden, steps, reverse, bits }: Omit<LstmSpec, 'yStride'>,
): KernelCase {
  return {
    name: `lstm ${bits === undefined ? 'f32' : `w${bits}`} hidden=${hidden} steps=${steps}${reverse ? ' reverse' : ''} seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const spec: LstmSpec = {
        hidden,
        steps,
        reverse,
        yStride: padded(hidden) + random.pick([0, 8]),
        ...(bits && { bits }),
      };
      const width = GATES * hidden;
      const gates = random.normal(steps * width, 0, 2);
      const initial = { h: random.uniform(hidden, -1, 1), c: random.normal(hidden) };
      const rig = new KernelRig(rung, (library) => emitLstm(library, spec));
      const { product, ...addresses } =
        bits === undefined ? floatWeights(rig, random, hidden) : int8Weights(rig, random, hidden, bits);
      const expected = reference.lstm(gates, { hidden, product, reverse }, initial);
      const args = {
        ...addresses,
        gates: rig.put(padGates(gates, hidden)),
        h: rig.put(initial.h),
        c: rig.put(initial.c),
      };
      for (const mode of bits === undefined ? (['i16'] as const) : modes[bits]) {
        rig.setMode(mode);
        const [y, cell] = [rig.allocate(4 * steps * spec.yStride), rig.allocate(4 * padded(hidden))];
        rig.call({ ...args, y, cell, scratch: rig.allocate(lstmScratchBytes(spec)) });
        expectSame(rig.floats(y, steps, hidden, spec.yStride), expected.y, `hidden state in mode ${mode}`);
        expectSame(rig.floats(cell, 1, hidden, hidden), expected.cell, `cell state in mode ${mode}`);
      }
      rig.checkGuards();
    },
  };
}

interface Weights {
  readonly product: reference.LstmLayer['product'];
  readonly weights: number;
  readonly weightScale: number;
  readonly colsum: number;
  readonly pairFlags: number;
}

type Rig = KernelRig<Params>;

function floatWeights(rig: Pick<Rig, 'put'>, random: SeededRandom, hidden: number): Weights {
  const width = GATES * hidden;
  const recurrence = random.normal(width * hidden, 0, 1 / Math.sqrt(hidden));
  const turned = recurrence.map((_, at) => recurrence[(at % width) * hidden + Math.floor(at / width)]!);
  return {
    product: reference.floatState(turned),
    weights: rig.put(packLstmGates(recurrence, hidden, hidden)),
    weightScale: 0,
    colsum: 0,
    pairFlags: 0,
  };
}

function int8Weights(rig: Pick<Rig, 'put'>, random: SeededRandom, hidden: number, bits: 7 | 8): Weights {
  const width = GATES * hidden;
  const limit = bits === 7 ? 63 : 127;
  const values = Int8Array.from({ length: hidden * width }, () => random.int(-limit, limit));
  const scale = random.uniform(width, 0.2, 1).map((factor) => factor / limit);
  const columns = lstmGateColumns(hidden);
  const wide = new Int8Array(hidden * columns);
  values.forEach((value, at) => (wide[gateColumn(at, hidden)] = value));
  const wideScale = new Float32Array(columns);
  scale.forEach((value, at) => (wideScale[gateColumn(at, hidden)] = value));
  const panels = new Int8Array(int8PanelBytes(hidden, columns));
  const { columnSums, pairFlags } = packInt8(wide, hidden, columns, panels);
  return {
    product: reference.int8State({ k: hidden, n: width, values, scale }),
    weights: rig.put(panels),
    weightScale: rig.put(wideScale),
    colsum: rig.put(columnSums),
    pairFlags: rig.put(pairFlags),
  };
}

/** Where element `at` of rows of gates lies when each gate's columns are padded to whole panels. */
function gateColumn(at: number, hidden: number): number {
  return Math.floor(at / hidden) * padded(hidden) + (at % hidden);
}

function padGates(gates: Float32Array, hidden: number): Float32Array {
  const out = new Float32Array((gates.length / hidden) * padded(hidden));
  gates.forEach((value, at) => (out[gateColumn(at, hidden)] = value));
  return out;
}

/** The cases of layers with a memory. */
export function recurrentCases(rung: Rung): KernelCase[] {
  const random = seededRandom(47);
  const modes = exactModes(rung);
  const sizes = [1, 3, 8, 13, 24, 32, 40, 128];
  let seed = 5000;
  return sizes.flatMap((hidden) =>
    [false, true].flatMap((reverse) =>
      ([undefined, 7, 8] as const).map((bits) =>
        lstmCase(rung, modes, ++seed, { hidden, steps: random.int(1, 5), reverse, ...(bits && { bits }) }),
      ),
    ),
  );
}
