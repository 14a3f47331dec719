import { seededRandom, type SeededRandom } from '../../../test-utils/src/seeded-random.ts';
import { suppressBoxes } from '../../src/ops/suppress-boxes.ts';
import {
  emitArgRows,
  emitGatherElements,
  emitGatherRows,
  emitMapIndices,
  emitSuppressBoxes,
  emitTopKRows,
  suppressScratchBytes,
  topKScratchBytes,
  type IndexMap,
  type Rung,
} from '../../src/targets/edge/kernels/index.ts';
import * as reference from '../../src/targets/edge/reference/index.ts';
import { expectSame, type KernelCase } from './case.ts';
import { KernelRig } from './harness.ts';
import { padded, rowRanges, ROWS } from './random-rows.ts';

// Kernels that find indices or follow them, as cases.ts.

const BOTH = [false, true] as const;

export function selectionCases(rung: Rung): KernelCase[] {
  return Array.from({ length: 16 }, (_, round) => 3000 + 5 * round).flatMap((seed) => [
    argCase(rung, seed),
    topKCase(rung, seed + 1),
    suppressCase(rung, seed + 2),
    gatherCase(rung, seed + 3),
    gatherElementsCase(rung, seed + 4),
  ]);
}

/** Values of which many are equal. */
function coarse(random: SeededRandom, count: number): Float32Array {
  const steps = random.pick([2, 5, 1000]);
  const infinite = random() < 0.3 ? random.int(0, count - 1) : -1;
  return random.normal(count).map((value, index) => {
    if (index === infinite) return random.pick([Infinity, -Infinity]);
    return Math.round(value * steps) / steps;
  });
}

function argCase(rung: Rung, seed: number): KernelCase {
  return {
    name: `argRows seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const [rows, columns] = [random.pick(ROWS), random.int(1, 40)];
      const stride = padded(columns) + random.pick([0, 8]);
      const x = coarse(random, rows * columns);
      if (random() < 0.3) x.fill(-Infinity, 0, columns);
      for (const largest of BOTH) {
        for (const last of BOTH) {
          const rig = new KernelRig(rung, (library) =>
            emitArgRows(library, { largest, last, columns, xStride: stride }),
          );
          const args = { x: rig.put(x, columns, stride), y: rig.allocate(4 * rows) };
          for (const [m0, m1] of rowRanges(rows)) rig.call({ ...args, m0, m1 });
          expectSame(rig.ints(args.y, rows), reference.argRows(x, columns, largest, last), 'columns');
          rig.checkGuards();
        }
      }
    },
  };
}

function topKCase(rung: Rung, seed: number): KernelCase {
  return {
    name: `topKRows seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const [rows, columns] = [random.pick(ROWS), random.int(1, 70)];
      const k = random.pick([1, columns, random.int(1, columns)]);
      const [xStride, yStride] = [padded(columns), padded(k)];
      const x = coarse(random, rows * columns);
      for (const largest of BOTH) {
        const rig = new KernelRig(rung, (library) =>
          emitTopKRows(library, { largest, columns, k, xStride, yStride }),
        );
        const args = {
          x: rig.put(x, columns, xStride),
          y: rig.allocate(4 * rows * yStride),
          indices: rig.allocate(4 * rows * k),
          scratch: rig.allocate(topKScratchBytes(columns)),
        };
        for (const [m0, m1] of rowRanges(rows)) rig.call({ ...args, m0, m1 });
        const expected = reference.topKRows(x, columns, k, largest);
        expectSame(rig.ints(args.indices, rows * k), expected.indices, 'columns');
        expectSame(rig.floats(args.y, rows, k, yStride), expected.values, 'values');
        rig.checkGuards();
      }
    },
  };
}

function suppressCase(rung: Rung, seed: number): KernelCase {
  return {
    name: `suppressBoxes seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const [batch, classes, boxes] = [random.int(1, 2), random.int(1, 4), random.int(1, 60)];
      const maxPerClass = random.pick([boxes, random.int(1, boxes)]);
      const spec = {
        batch,
        classes,
        boxes,
        maxPerClass,
        iouThreshold: Math.fround(random.pick([0, 0.3, 0.5, 1])),
        scoreThreshold: random.pick([null, 0, Math.fround(0.4)]),
        format: random.pick(['corners', 'centre'] as const),
        boxStride: 8,
        scoreStride: padded(boxes),
      };
      // Sides of 0, and below it where the centre is given.
      const places = random.normal(batch * boxes * 4, 2, 2).map((value) => Math.round(value * 4) / 4);
      const scores = coarse(random, batch * classes * boxes);
      const rig = new KernelRig(rung, (library) => emitSuppressBoxes(library, spec));
      const capacity = batch * classes * maxPerClass;
      const args = {
        boxes: rig.put(places, 4, spec.boxStride),
        scores: rig.put(scores, boxes, spec.scoreStride),
        y: rig.allocate(12 * capacity),
        count: rig.allocate(4),
        scratch: rig.allocate(suppressScratchBytes(boxes)),
      };
      rig.call(args);
      const expected = suppressBoxes(places, scores, spec);
      expectSame(rig.ints(args.count, 1), [expected.length], 'count');
      const rows = Array.from({ length: capacity }, (_, row) => expected[row] ?? [0, 0, 0]);
      expectSame(rig.ints(args.y, 3 * capacity), rows.flat(), 'rows');
      rig.checkGuards();
    },
  };
}

function gatherCase(rung: Rung, seed: number): KernelCase {
  return {
    name: `gatherRows, mapIndices seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const extents = random.pick([[random.int(1, 20)], [random.int(1, 4), random.int(1, 9)]]);
      const axes = extents.map((extent, axis) => ({
        extent,
        rows: extents.slice(axis + 1).reduce((product, dim) => product * dim, 1),
      }));
      const [rows, columns] = [random.pick(ROWS), random.int(1, 20)];
      const [xStride, yStride] = [padded(columns), padded(columns) + 8];
      const x = random.normal(columns * extents.reduce((product, dim) => product * dim, 1));
      const indices = Int32Array.from({ length: rows * axes.length }, (_, at) =>
        random.int(-1, extents[at % axes.length]!),
      );
      const gather = new KernelRig(rung, (library) =>
        emitGatherRows(library, { axes, columns, xStride, yStride }),
      );
      const gathered = {
        x: gather.put(x, columns, xStride),
        indices: gather.put(indices),
        y: gather.allocate(4 * rows * yStride),
      };
      for (const [m0, m1] of rowRanges(rows)) gather.call({ ...gathered, m0, m1 });
      const expected = reference.gatherRows(x, indices, { axes, columns });
      expectSame(gather.floats(gathered.y, rows, columns, yStride), expected, 'rows');
      gather.checkGuards();

      const whole = Int32Array.from({ length: rows * columns }, () => random.int(0, 70_000));
      const by = random.int(1, 90);
      for (const [map, apply] of [
        [{ kind: 'float32' }, (value) => value],
        [{ kind: 'uint8' }, (value) => value & 0xff],
        [{ kind: 'quotient', by }, (value) => Math.floor(value / by)],
        [{ kind: 'remainder', by }, (value) => value % by],
      ] as readonly (readonly [IndexMap, (value: number) => number])[]) {
        const rig = new KernelRig(rung, (library) =>
          emitMapIndices(library, { map, columns, xStride: columns, yStride }),
        );
        const args = { x: rig.put(whole), y: rig.allocate(4 * rows * yStride) };
        for (const [m0, m1] of rowRanges(rows)) rig.call({ ...args, m0, m1 });
        const actual =
          map.kind === 'float32'
            ? rig.floats(args.y, rows, columns, yStride)
            : rig.ints(args.y, rows * yStride).filter((_, at) => at % yStride < columns);
        expectSame(actual, whole.map(apply), map.kind);
        rig.checkGuards();
      }
    },
  };
}

function gatherElementsCase(rung: Rung, seed: number): KernelCase {
  return {
    name: `gatherElements seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const [groups, extent, count] = [random.int(1, 4), random.int(1, 9), random.int(1, 9)];
      const columns = random.int(1, 20);
      const [xStride, yStride] = [padded(columns), padded(columns) + 8];
      const x = random.normal(groups * extent * columns);
      const rows = groups * count;
      const indices = Int32Array.from({ length: rows * columns }, () => random.int(-1, extent));
      const rig = new KernelRig(rung, (library) =>
        emitGatherElements(library, { extent, count, columns, xStride, yStride }),
      );
      const args = {
        x: rig.put(x, columns, xStride),
        indices: rig.put(indices),
        y: rig.allocate(4 * rows * yStride),
      };
      for (const [m0, m1] of rowRanges(rows)) rig.call({ ...args, m0, m1 });
      const expected = reference.gatherElements(x, indices, { extent, count, columns });
      expectSame(rig.floats(args.y, rows, columns, yStride), expected, 'elements');
      rig.checkGuards();
    },
  };
}
