import { seededRandom, type SeededRandom } from '../../../test-utils/src/seeded-random.ts';
import {
  COPY_TABLE_BYTES,
  emitCopyElements,
  emitFillRows,
  type CopyLoop,
  type Rung,
} from '../../src/targets/edge/kernels/index.ts';
import * as reference from '../../src/targets/edge/reference/index.ts';
import { expectSame, type KernelCase } from './case.ts';
import { KernelRig, type ModeName } from './harness.ts';

// Kernels that move elements against their plain references.

/** Loops over a target without overlaps, and a source in another order with gaps and repetitions, some backwards. */
function randomLoops(random: SeededRandom): {
  loops: CopyLoop[];
  /** Of the source. */
  first: number;
  fromCount: number;
  toCount: number;
} {
  const extents = Array.from({ length: random.int(1, 4) }, () => random.pick([1, 2, 3, 5, 9, 17, 40]));
  const order = extents.map((_, index) => ({ index, key: random.int(0, 1000) }));
  order.sort((a, b) => a.key - b.key);
  const steps = extents.map(() => 0);
  let fromCount = random.pick([1, 1, 2, 3]);
  // One loop may read the same elements again and again.
  const repeated = random.int(0, 6);
  for (const { index } of order) {
    steps[index] = index === repeated ? 0 : fromCount;
    if (index !== repeated) fromCount *= extents[index]! + random.pick([0, 0, 1]);
  }
  let toCount = 1;
  let first = 0;
  const loops: CopyLoop[] = [];
  extents.toReversed().forEach((extent, back) => {
    const step = steps[extents.length - 1 - back]!;
    const isBackwards = random.int(0, 3) === 0;
    if (isBackwards) first += (extent - 1) * step;
    loops.unshift({ extent, from: isBackwards ? -step : step, to: toCount });
    toCount *= extent + random.pick([0, 0, 3]);
  });
  return { loops, first, fromCount, toCount };
}

function copyCase(rung: Rung, modes: readonly ModeName[], seed: number): KernelCase {
  return {
    name: `copyElements seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const { loops, first, fromCount, toCount } = randomLoops(random);
      const rowLoops = random.int(0, loops.length - 1);
      const rows = loops.slice(0, rowLoops).reduce((product, { extent }) => product * extent, 1);
      const split = random.int(0, rows);
      const table = Uint8Array.from({ length: 256 }, () => random.int(0, 255));
      const bytes = Uint8Array.from({ length: fromCount }, () => random.int(0, 255));
      const run = (
        x: Float32Array | Uint8Array,
        mode: ModeName,
        hasTable: boolean,
      ): { actual: Uint8Array; before: Uint8Array; rig: { checkGuards: () => void } } => {
        const elementBytes = x instanceof Float32Array ? 4 : 1;
        const inBytes = loops.map(({ extent, from, to }) => ({
          extent,
          from: from * elementBytes,
          to: to * elementBytes,
        }));
        const spec = {
          elementBytes,
          rows: inBytes.slice(0, rowLoops),
          columns: inBytes.slice(rowLoops),
          isListed: false,
          hasTable,
        } as const;
        const rig = new KernelRig(rung, (library) => emitCopyElements(library, spec));
        rig.setMode(mode);
        const y = rig.allocate(toCount * elementBytes);
        const before = rig.rawBytes(y, toCount * elementBytes);
        const scratch = rig.allocate(COPY_TABLE_BYTES);
        const args = { x: rig.put(x) + first * elementBytes, list: 0, table: rig.put(table), y, scratch };
        rig.call({ ...args, m0: 0, m1: split });
        rig.call({ ...args, m0: split, m1: rows });
        return { actual: rig.rawBytes(y, toCount * elementBytes), before, rig };
      };

      for (const mode of modes) {
        const offset = mode === 's8' ? 128 : 0;
        for (const hasTable of [false, true]) {
          const { actual, before, rig } = run(
            bytes.map((byte) => byte ^ offset),
            mode,
            hasTable,
          );
          const expected = before.map((byte) => byte ^ offset);
          reference.copyElements(bytes, expected, { loops, first }, hasTable ? table : undefined);
          expectSame(
            actual.map((byte) => byte ^ offset),
            expected,
            `bytes, table ${hasTable}, mode ${mode}`,
          );
          rig.checkGuards();
        }
      }
      const floats = random.normal(fromCount);
      const { actual, before, rig } = run(floats, 'i16', false);
      const expected = new Float32Array(before.buffer);
      reference.copyElements(floats, expected, { loops, first });
      expectSame(actual, new Uint8Array(expected.buffer), 'floats');
      rig.checkGuards();
    },
  };
}

function listCase(rung: Rung, seed: number): KernelCase {
  return {
    name: `copyElements of listed rows seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const [columns, inputs, rows] = [random.int(1, 20), random.int(1, 9), random.int(1, 15)];
      const list = Int32Array.from({ length: rows }, () => 4 * columns * random.int(0, inputs - 1));
      const x = random.normal(inputs * columns);
      const spec = {
        elementBytes: 4,
        rows: [{ extent: rows, from: 0, to: 4 * columns }],
        columns: [{ extent: columns, from: 4, to: 4 }],
        isListed: true,
        hasTable: false,
      } as const;
      const rig = new KernelRig(rung, (library) => emitCopyElements(library, spec));
      const args = {
        x: rig.put(x),
        list: rig.put(list),
        table: 0,
        y: rig.allocate(4 * rows * columns),
        scratch: 0,
      };
      const split = random.int(0, rows);
      rig.call({ ...args, m0: 0, m1: split });
      rig.call({ ...args, m0: split, m1: rows });
      const expected = Float32Array.from(
        { length: rows * columns },
        (_, index) => x[list[Math.floor(index / columns)]! / 4 + (index % columns)]!,
      );
      expectSame(rig.floats(args.y, rows, columns, columns), expected, 'listed rows');
      rig.checkGuards();
    },
  };
}

function fillCase(rung: Rung, modes: readonly ModeName[], seed: number): KernelCase {
  return {
    name: `fillRows seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const rows = random.int(1, 9);
      const half = random.int(0, rows);
      for (const mode of modes) {
        for (const elementBytes of [1, 4] as const) {
          const value = random.int(0, 255);
          const stride = elementBytes * random.pick([8, 16, 48]);
          const rig = new KernelRig(rung, (library) =>
            emitFillRows(library, { elementBytes, stride, value }),
          );
          rig.setMode(mode);
          const y = rig.allocate(rows * stride);
          rig.call({ y, m0: half, m1: rows });
          rig.call({ y, m0: 0, m1: half });
          const filled =
            elementBytes === 4
              ? new Float32Array(rig.rawBytes(y, rows * stride).buffer)
              : rig.rawBytes(y, rows * stride).map((byte) => byte ^ (mode === 's8' ? 128 : 0));
          expectSame(
            filled,
            filled.map(() => value),
            `fillRows of ${elementBytes} bytes in mode ${mode}`,
          );
          rig.checkGuards();
        }
      }
    },
  };
}

export function copyCases(rung: Rung, modes: readonly ModeName[]): KernelCase[] {
  const seeds = Array.from({ length: 40 }, (_, index) => 5000 + index);
  return [
    ...seeds.map((seed) => copyCase(rung, modes, seed)),
    ...seeds.slice(0, 4).flatMap((seed) => [listCase(rung, seed), fillCase(rung, modes, seed)]),
  ];
}
