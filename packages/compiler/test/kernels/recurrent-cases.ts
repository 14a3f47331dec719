import { seededRandom, type SeededRandom } from '../../../test-utils/src/seeded-random.ts';
import {
  emitGru,
  emitLstm,
  emitRepeated,
  int8PanelBytes,
  gateColumns,
  GRU_GATES,
  gruScratchBytes,
  LSTM_GATES,
  lstmScratchBytes,
  packInt8,
  packGates,
  type GruSpec,
  type LstmSpec,
  type Rung,
} from '../../src/targets/edge/kernels/index.ts';
import type { Params } from '../../src/wasm/index.ts';
import * as reference from '../../src/targets/edge/reference/index.ts';
import { expectSame, type KernelCase } from './case.ts';
import { exactModes, KernelRig, type ModeName } from './harness.ts';

// Layers with a memory, as cases.ts.

const padded = (columns: number): number => Math.ceil(columns / 8) * 8;

function lstmCase(
  rung: Rung,
  modes: Record<7 | 8, ModeName[]>,
  seed: number,
  { hidden, steps, reverse, batch, bits }: Omit<LstmSpec, 'yStride' | 'pairs'> & { bits?: 7 | 8 },
): KernelCase {
  return {
    name: `lstm ${bits === undefined ? 'f32' : `w${bits}`} hidden=${hidden} steps=${steps} batch=${batch}${reverse ? ' reverse' : ''} seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const spec: LstmSpec = {
        hidden,
        steps,
        reverse,
        batch,
        yStride: padded(hidden) + random.pick([0, 8]),
        ...(bits && { pairs: bits === 7 ? 'fused' : 'none' }),
      };
      const width = LSTM_GATES * hidden;
      const gates = random.normal(steps * batch * width, 0, 2);
      const initial = { h: random.uniform(batch * hidden, -1, 1), c: random.normal(batch * hidden) };
      const state = 4 * padded(hidden);
      const rig = new KernelRig(rung, (library) =>
        emitRepeated(library, emitLstm(library, spec), {
          count: batch,
          steps: { gates: LSTM_GATES * state, h: state, c: state, y: 4 * spec.yStride, cell: state },
        }),
      );
      const { product, ...addresses } =
        bits === undefined ? floatWeights(rig, random, hidden) : int8Weights(rig, random, hidden, bits);
      const expected = Array.from({ length: batch }, (_, index) =>
        reference.lstm(
          sequence(gates, { index, batch, width }),
          { hidden, product, reverse },
          {
            h: sequence(initial.h, { index, batch, width: hidden }),
            c: sequence(initial.c, { index, batch, width: hidden }),
          },
        ),
      );
      const args = {
        ...addresses,
        gates: rig.put(padGates(gates, hidden)),
        h: rig.put(initial.h, hidden, padded(hidden)),
        c: rig.put(initial.c, hidden, padded(hidden)),
      };
      for (const mode of bits === undefined ? (['i16'] as const) : modes[bits]) {
        rig.setMode(mode);
        const [y, cell] = [rig.allocate(4 * steps * batch * spec.yStride), rig.allocate(batch * state)];
        rig.call({ ...args, y, cell, scratch: rig.allocate(lstmScratchBytes(spec)) });
        const ys = rig.floats(y, steps * batch, hidden, spec.yStride);
        const cells = rig.floats(cell, batch, hidden, padded(hidden));
        expected.forEach((wanted, index) => {
          const part = { index, batch, width: hidden };
          expectSame(sequence(ys, part), wanted.y, `hidden state ${index} in mode ${mode}`);
          expectSame(sequence(cells, part), wanted.cell, `cell state ${index} in mode ${mode}`);
        });
      }
      rig.checkGuards();
    },
  };
}

/** The rows of one sequence of a batch. */
function sequence(
  values: Float32Array,
  { index, batch, width }: { index: number; batch: number; width: number },
): Float32Array {
  return values.filter((_, at) => Math.floor(at / width) % batch === index);
}

function gruCase(
  rung: Rung,
  seed: number,
  { hidden, steps, reverse, resetsProduct, batch }: Omit<GruSpec, 'yStride'>,
): KernelCase {
  return {
    name: `gru hidden=${hidden} steps=${steps} batch=${batch}${reverse ? ' reverse' : ''}${resetsProduct ? ' resets product' : ''} seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const yStride = padded(hidden) + random.pick([0, 8]);
      const spec: GruSpec = { hidden, steps, reverse, resetsProduct, batch, yStride };
      const width = GRU_GATES * hidden;
      const gates = random.normal(steps * batch * width, 0, 2);
      const initial = random.uniform(batch * hidden, -1, 1);
      const bias = random.normal(hidden);
      const recurrence = random.normal(width * hidden, 0, 1 / Math.sqrt(hidden));
      const turned = recurrence.map((_, at) => recurrence[(at % width) * hidden + Math.floor(at / width)]!);
      const state = 4 * padded(hidden);
      const rig = new KernelRig(rung, (library) =>
        emitRepeated(library, emitGru(library, spec), {
          count: batch,
          steps: { gates: GRU_GATES * state, h: state, y: 4 * yStride },
        }),
      );
      const y = rig.allocate(4 * steps * batch * yStride);
      rig.call({
        gates: rig.put(padGates(gates, hidden)),
        weights: rig.put(packGates(recurrence, GRU_GATES, hidden, hidden)),
        bias: rig.put(padGates(bias, hidden)),
        h: rig.put(initial, hidden, padded(hidden)),
        y,
        scratch: rig.allocate(gruScratchBytes(spec)),
      });
      const ys = rig.floats(y, steps * batch, hidden, yStride);
      const layer = { hidden, reverse, weights: turned, bias: resetsProduct ? bias : undefined };
      for (let index = 0; index < batch; index++) {
        const part = { index, batch, width: hidden };
        const expected = reference.gru(
          sequence(gates, { index, batch, width }),
          layer,
          sequence(initial, part),
        );
        expectSame(sequence(ys, part), expected, `state ${index}`);
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
  const width = LSTM_GATES * hidden;
  const recurrence = random.normal(width * hidden, 0, 1 / Math.sqrt(hidden));
  const turned = recurrence.map((_, at) => recurrence[(at % width) * hidden + Math.floor(at / width)]!);
  return {
    product: reference.floatState(turned),
    weights: rig.put(packGates(recurrence, LSTM_GATES, hidden, hidden)),
    weightScale: 0,
    colsum: 0,
    pairFlags: 0,
  };
}

function int8Weights(rig: Pick<Rig, 'put'>, random: SeededRandom, hidden: number, bits: 7 | 8): Weights {
  const width = LSTM_GATES * hidden;
  const limit = bits === 7 ? 63 : 127;
  const values = Int8Array.from({ length: hidden * width }, () => random.int(-limit, limit));
  const scale = random.uniform(width, 0.2, 1).map((factor) => factor / limit);
  const columns = gateColumns(LSTM_GATES, hidden);
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
  const shape = (): { steps: number; batch: number } => ({
    steps: random.int(1, 5),
    batch: random.pick([1, 1, 3]),
  });
  return sizes.flatMap((hidden) =>
    [false, true].flatMap((reverse) => [
      ...([undefined, 7, 8] as const).map((bits) =>
        lstmCase(rung, modes, ++seed, { hidden, ...shape(), reverse, ...(bits && { bits }) }),
      ),
      ...[false, true].map((resetsProduct) =>
        gruCase(rung, ++seed, { hidden, ...shape(), reverse, resetsProduct }),
      ),
    ]),
  );
}
