import { seededRandom } from '../../../test-utils/src/seeded-random.ts';
import {
  emitResizeLinear,
  emitResizeTaps,
  packManyTaps,
  packTaps,
  type LinearTap,
  type Taps,
  type Rung,
} from '../../src/targets/edge/kernels/index.ts';
import * as reference from '../../src/targets/edge/reference/index.ts';
import { expectSame, type KernelCase } from './case.ts';
import { KernelRig, type ModeName } from './harness.ts';
import { roundUp, mapStride, putMap, mapValues, randomBytes } from './random-maps.ts';

// Interpolations, as cases.ts.

export function resizeCase(rung: Rung, modes: readonly ModeName[], seed: number): KernelCase {
  return {
    name: `resizeLinear seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const [height, width, channels] = [random.int(1, 6), random.int(1, 6), random.int(1, 20)];
      const taps = (from: number): LinearTap[] =>
        Array.from({ length: random.int(1, 9) }, () => {
          const near = random.int(0, from - 1);
          const [toNear = 0] = random.uniform(1, 0, 1);
          return { near, far: Math.min(near + 1, from - 1), toNear, toFar: Math.fround(1 - toNear) };
        });
      const [rows, columns] = [taps(height), taps(width)];
      const pixels = rows.length * columns.length;
      const split = random.int(0, pixels);
      const values = randomBytes(random, height * width * channels, false);
      for (const [elementBytes, list] of [
        [4, ['i16']],
        [1, modes],
      ] as const) {
        const stride = elementBytes === 4 ? roundUp(channels, 8) : mapStride(channels);
        const bytes = elementBytes * stride;
        const spec = { elementBytes, xStride: bytes, yStride: bytes, outWidth: columns.length };
        for (const mode of list) {
          const rig = new KernelRig(rung, (library) => emitResizeLinear(library, spec));
          rig.setMode(mode);
          const floats = Float32Array.from(values, (value) => value - 100);
          const args = {
            x:
              elementBytes === 4
                ? rig.put(floats, channels, stride)
                : putMap(rig, values, channels, stride, mode),
            rowTaps: rig.put(packTaps(rows, width * bytes)),
            columnTaps: rig.put(packTaps(columns, bytes)),
            y: rig.allocate(pixels * bytes),
          };
          rig.call({ ...args, m0: 0, m1: split });
          rig.call({ ...args, m0: split, m1: pixels });
          const source = elementBytes === 4 ? floats : Float32Array.from(values);
          const expected = reference.resizeLinear({ width, channels, values: source }, rows, columns);
          if (elementBytes === 4)
            expectSame(rig.floats(args.y, pixels, channels, stride), expected, 'floats');
          else
            expectSame(
              mapValues(rig, args.y, pixels, channels, stride, mode),
              Uint8Array.from(expected, Math.trunc),
              `bytes in mode ${mode}`,
            );
          rig.checkGuards();
        }
      }
    },
  };
}

export function resizeTapsCase(rung: Rung, seed: number): KernelCase {
  return {
    name: `resizeTaps seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const [height, width, channels] = [random.int(1, 6), random.int(1, 6), random.int(1, 20)];
      const count = random.pick([2, 4]);
      const tapsOf = (from: number): Taps[] =>
        Array.from({ length: random.int(1, 9) }, () => ({
          positions: Array.from({ length: count }, () => random.int(0, from - 1)),
          weights: [...random.normal(count)],
        }));
      const [rows, columns] = [tapsOf(height), tapsOf(width)];
      const pixels = rows.length * columns.length;
      const split = random.int(0, pixels);
      const values = random.normal(height * width * channels, 0, 2);
      const stride = roundUp(channels, 8);
      const [xStride, yStride] = [4 * (stride + random.pick([0, 8])), 4 * stride];
      const spec = { taps: count, xStride, yStride, outWidth: columns.length };
      const rig = new KernelRig(rung, (library) => emitResizeTaps(library, spec));
      const args = {
        x: rig.put(values, channels, xStride / 4),
        rowTaps: rig.put(packManyTaps(rows, width * xStride)),
        columnTaps: rig.put(packManyTaps(columns, xStride)),
        y: rig.allocate(pixels * yStride),
      };
      rig.call({ ...args, m0: 0, m1: split });
      rig.call({ ...args, m0: split, m1: pixels });
      const expected = reference.resizeTaps({ width, channels, values }, rows, columns);
      expectSame(rig.floats(args.y, pixels, channels, stride), expected, 'resizeTaps');
      rig.checkGuards();
    },
  };
}
