import { seededRandom } from '../../../test-utils/src/seeded-random.ts';
import {
  emitAveragePool,
  emitMaxPoolRows,
  emitReduceRows,
  type Reduction,
  type Rung,
} from '../../src/targets/edge/kernels/index.ts';
import * as reference from '../../src/targets/edge/reference/index.ts';
import { expectSame, type KernelCase } from './case.ts';
import { randomFloatMap } from './float-conv-cases.ts';
import { KernelRig } from './harness.ts';
import { roundUp } from './random-maps.ts';

// Poolings and reductions of maps of floats, as cases.ts.

const REDUCTIONS: readonly Reduction[] = ['sum', 'mean', 'min', 'max', 'product'];

export function reduceCase(rung: Rung, seed: number): KernelCase {
  return {
    name: `reduceRows seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const [columns, groups, rows] = [
        random.int(1, 20),
        random.pick([1, random.int(2, 6)]),
        random.int(1, 30),
      ];
      const stride = roundUp(columns, 8);
      const [xStride, yStride] = [stride + random.pick([0, 8]), stride];
      const x = random.normal(columns * groups * rows, 0, 2);
      for (const reduction of REDUCTIONS) {
        const spec = { reduction, columns, groups, rows, xStride, yStride };
        const rig = new KernelRig(rung, (library) => emitReduceRows(library, spec));
        const args = { x: rig.put(x, columns, xStride), y: rig.allocate(4 * groups * yStride) };
        const split = groups === 1 ? 1 : random.int(0, groups);
        rig.call({ ...args, m0: 0, m1: split });
        if (split < groups) rig.call({ ...args, m0: split, m1: groups });
        expectSame(
          rig.floats(args.y, groups, columns, yStride),
          reference.reduceRows(x, reduction, columns, rows),
          reduction,
        );
        rig.checkGuards();
      }
    },
  };
}

export function floatPoolCase(rung: Rung, seed: number): KernelCase {
  return {
    name: `maxPoolRows, averagePool seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const channels = random.int(1, 20);
      const stride = roundUp(channels, 8);
      const { x, window, outHeight, halves } = randomFloatMap(random, channels);
      const pixels = outHeight * window.outWidth;
      const pool = new KernelRig(rung, (library) =>
        emitMaxPoolRows(library, { ...window, yStride: 4 * stride }),
      );
      const largest = pool.allocate(4 * pixels * stride);
      const pooled = { x: pool.put(x.values, channels, stride), y: largest };
      for (const half of halves) pool.call({ ...pooled, ...half });
      expectSame(
        pool.floats(largest, pixels, channels, stride),
        reference.maxPoolRows(x, window, outHeight),
        'maxPoolRows',
      );
      pool.checkGuards();

      for (const countsPadding of [false, true]) {
        const means = new KernelRig(rung, (library) =>
          emitAveragePool(library, { ...window, countsPadding, grids: undefined, yStride: 4 * stride }),
        );
        const meanArgs = {
          x: means.put(x.values, channels, stride),
          y: means.allocate(4 * pixels * stride),
          scratch: 0,
        };
        for (const half of halves) means.call({ ...meanArgs, ...half });
        expectSame(
          means.floats(meanArgs.y, pixels, channels, stride),
          reference.averagePoolRows(x, window, outHeight, countsPadding),
          'averagePool',
        );
        means.checkGuards();
      }
    },
  };
}
