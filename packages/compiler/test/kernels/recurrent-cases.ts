import { seededRandom } from '../../../test-utils/src/seeded-random.ts';
import {
  emitLstm,
  lstmGateColumns,
  lstmScratchBytes,
  packLstmGates,
  type LstmSpec,
  type Rung,
} from '../../src/targets/edge/kernels/index.ts';
import * as reference from '../../src/targets/edge/reference/index.ts';
import { expectSame, type KernelCase } from './case.ts';
import { KernelRig } from './harness.ts';

// Layers with a memory, as cases.ts.

const GATES = 4;
const padded = (columns: number): number => Math.ceil(columns / 8) * 8;

function lstmCase(
  rung: Rung,
  seed: number,
  { hidden, steps, reverse }: Omit<LstmSpec, 'yStride'>,
): KernelCase {
  return {
    name: `lstm hidden=${hidden} steps=${steps}${reverse ? ' reverse' : ''} seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const spec: LstmSpec = { hidden, steps, reverse, yStride: padded(hidden) + random.pick([0, 8]) };
      const gates = random.normal(steps * GATES * hidden, 0, 2);
      const recurrence = random.normal(GATES * hidden * hidden, 0, 1 / Math.sqrt(hidden));
      const initial = { h: random.uniform(hidden, -1, 1), c: random.normal(hidden) };
      const expected = reference.lstm(gates, { hidden, recurrence, reverse }, initial);

      const rig = new KernelRig(rung, (library) => emitLstm(library, spec));
      const [y, cell] = [rig.allocate(4 * steps * spec.yStride), rig.allocate(4 * padded(hidden))];
      // Each gate's columns are padded to whole panels.
      const columns = lstmGateColumns(hidden);
      const rows = new Float32Array(steps * columns);
      gates.forEach((value, index) => {
        const gate = Math.floor(index / hidden) % GATES;
        const step = Math.floor(index / (GATES * hidden));
        rows[step * columns + gate * padded(hidden) + (index % hidden)] = value;
      });
      rig.call({
        gates: rig.put(rows),
        weights: rig.put(packLstmGates(recurrence, hidden, hidden)),
        h: rig.put(initial.h),
        c: rig.put(initial.c),
        y,
        cell,
        scratch: rig.allocate(lstmScratchBytes(spec)),
      });
      expectSame(rig.floats(y, steps, hidden, spec.yStride), expected.y, 'hidden state');
      expectSame(rig.floats(cell, 1, hidden, hidden), expected.cell, 'cell state');
      rig.checkGuards();
    },
  };
}

/** The cases of layers with a memory. */
export function recurrentCases(rung: Rung): KernelCase[] {
  const random = seededRandom(47);
  const sizes = [1, 3, 8, 13, 24, 32, 40, 128];
  return sizes.flatMap((hidden, index) =>
    [false, true].map((reverse) =>
      lstmCase(rung, 5000 + 2 * index + Number(reverse), { hidden, steps: random.int(1, 5), reverse }),
    ),
  );
}
