import {
  f32,
  i32,
  type Expr,
  type FunctionBuilder,
  type FunctionRef,
  type Local,
} from '../../../wasm/index.ts';
import type { Suppression } from '../../../ops/suppress-boxes.ts';
import { emitBuildHeap, emitTakeTop } from './index-heap.ts';
import type { KernelLibrary } from './kernel-library.ts';

export interface SuppressBoxesSpec extends Suppression {
  /** Floats from row to row. */
  readonly boxStride: number;
  readonly scoreStride: number;
}

const PARAMS = {
  /** [batch·boxes] rows of 4. */
  boxes: 'i32',
  /** [batch·classes] rows of `boxes`. */
  scores: 'i32',
  /** ROW_BYTES bytes for each box that can be kept. */
  y: 'i32',
  /** Where the number of kept boxes goes. */
  count: 'i32',
  /** suppressScratchBytes bytes. */
  scratch: 'i32',
} as const;

/** Batch entry, class and box. */
const ROW_BYTES = 12;

export function suppressScratchBytes(boxes: number): number {
  return 4 * boxes;
}

/**
 * Greedy non-maximum suppression of each class, best score first (of equal ones the lowest box): rows [batch entry, class, box] of i32 and
 * their number. Rows behind them are 0. Overlaps are computed in float32 in onnxruntime's order.
 */
export function emitSuppressBoxes(
  library: KernelLibrary,
  spec: SuppressBoxesSpec,
): FunctionRef<typeof PARAMS, undefined> {
  const { batch, classes, boxes, maxPerClass, scoreThreshold } = spec;
  const [boxBytes, scoreBytes] = [4 * spec.boxStride, 4 * spec.scoreStride];
  return library.once('suppress boxes', spec, (name) => {
    const overlaps = emitOverlaps(library, spec);
    return library.module.function(name, { params: PARAMS }, (f, p) => {
      const [entry, classIndex, box, size] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
      const [first, other, limit] = [f.local('i32'), f.local('i32'), f.local('i32')];
      const row = f.let(p.y);
      const heap = { heap: p.scratch, count: size, values: p.scores };
      const addressOf = (number: Expr<'i32'>): Expr<'i32'> => i32.add(p.boxes, i32.mul(number, boxBytes));
      f.whileBelow(entry, batch, 1, () => {
        f.set(classIndex, 0);
        f.whileBelow(classIndex, classes, 1, () => {
          f.set(size, 0);
          f.set(box, 0);
          f.whileBelow(box, boxes, 1, () => {
            const enter = (): void => {
              f.do(i32.store(i32.add(p.scratch, i32.shl(size, 2)), box));
              f.increment(size, 1);
            };
            const score = f32.load(i32.add(p.scores, i32.shl(box, 2)));
            if (scoreThreshold === null) enter();
            else f.if(f32.gt(score, f32.const(scoreThreshold)), enter);
          });
          emitBuildHeap(library, f, heap, true);
          f.set(first, row);
          f.set(limit, i32.add(row, maxPerClass * ROW_BYTES));
          f.block((end) =>
            f.loop((next) => {
              f.branchIf(end, i32.eqz(i32.and(i32.gtS(size, 0), i32.ltS(row, limit))));
              const best = emitTakeTop(library, f, heap, true);
              const address = f.let(addressOf(best));
              f.set(other, first);
              f.whileBelow(other, row, ROW_BYTES, () =>
                f.branchIf(next, f.invoke(overlaps, { a: addressOf(i32.load(other, 8)), b: address })),
              );
              [entry, classIndex, best].forEach((value, at) => f.do(i32.store(row, value, 4 * at)));
              f.increment(row, ROW_BYTES);
              f.branch(next);
            }),
          );
          f.increment(p.scores, scoreBytes);
        });
        f.increment(p.boxes, boxes * boxBytes);
      });
      f.do(i32.store(p.count, i32.divU(i32.sub(row, p.y), ROW_BYTES)));
      const end = f.let(i32.add(p.y, batch * classes * maxPerClass * ROW_BYTES));
      f.whileBelow(row, end, 4, () => f.do(i32.store(row, 0)));
    });
  });
}

const OVERLAP_PARAMS = { a: 'i32', b: 'i32' } as const;

/** Whether two boxes overlap by more than the threshold. Empty ones never do. */
function emitOverlaps(
  library: KernelLibrary,
  { format, iouThreshold }: SuppressBoxesSpec,
): FunctionRef<typeof OVERLAP_PARAMS, 'i32'> {
  return library.once('overlaps', { format, iouThreshold }, (name) =>
    library.module.function(name, { params: OVERLAP_PARAMS, result: 'i32' }, (f, p) => {
      const emitSides = format === 'corners' ? emitSidesOfCorners : emitSidesOfCentre;
      const [a, b] = [emitSides(f, p.a), emitSides(f, p.b)];
      const common = a.map(({ low, high }, axis) => ({
        low: f.let(f32.max(low, b[axis]!.low)),
        high: f.let(f32.min(high, b[axis]!.high)),
      }));
      const zero = f32.const(0);
      const [shared, areaA, areaB] = [common, a, b].map((sides) => f.let(emitArea(sides))) as [
        Local<'f32'>,
        Local<'f32'>,
        Local<'f32'>,
      ];
      const union = f.let(f32.sub(f32.add(areaA, areaB), shared));
      const conditions = [
        ...common.map(({ low, high }) => f32.gt(high, low)),
        ...[shared, areaA, areaB, union].map((area) => f32.gt(area, zero)),
        f32.gt(f32.div(shared, union), f32.const(iouThreshold)),
      ];
      f.return(conditions.reduce((all, condition) => i32.and(all, condition)));
    }),
  );
}

interface Side {
  readonly low: Local<'f32'>;
  readonly high: Local<'f32'>;
}

function emitSidesOfCorners(f: FunctionBuilder, box: Local<'i32'>): Side[] {
  return [4, 0].map((offset) => {
    const [one, other] = [f.let(f32.load(box, offset)), f.let(f32.load(box, offset + 8))];
    return { low: f.let(f32.min(one, other)), high: f.let(f32.max(one, other)) };
  });
}

function emitSidesOfCentre(f: FunctionBuilder, box: Local<'i32'>): Side[] {
  return [0, 4].map((offset) => {
    const centre = f.let(f32.load(box, offset));
    const half = f.let(f32.mul(f32.load(box, offset + 8), f32.const(0.5)));
    return { low: f.let(f32.sub(centre, half)), high: f.let(f32.add(centre, half)) };
  });
}

function emitArea([x, y]: readonly Side[]): Expr<'f32'> {
  return f32.mul(f32.sub(x!.high, x!.low), f32.sub(y!.high, y!.low));
}
