import {
  f32,
  i32,
  type Expr,
  type FunctionBuilder,
  type FunctionRef,
  type Local,
} from '../../../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';

// A heap of i32 numbers of values: whoever has the largest value (or the smallest), and of equal values the lowest number, is on
// top. Values without NaN come off in one order only.

const SIFT_PARAMS = { heap: 'i32', at: 'i32', count: 'i32', values: 'i32' } as const;

export interface IndexHeap {
  readonly heap: Local<'i32'>;
  readonly count: Local<'i32'>;
  /** f32 values, by number. */
  readonly values: Local<'i32'>;
}

/** Makes a heap of numbers in any order. */
export function emitBuildHeap(
  library: KernelLibrary,
  f: FunctionBuilder,
  { heap, count, values }: IndexHeap,
  largest: boolean,
): void {
  const sift = emitSiftDown(library, largest);
  const at = f.let(i32.shrU(count, 1));
  f.if(at, () =>
    f.loop((again) => {
      f.increment(at, -1);
      f.call(sift, { heap, at, count, values });
      f.branchIf(again, at);
    }),
  );
}

/** Takes the number on top off a heap that is not empty. */
export function emitTakeTop(
  library: KernelLibrary,
  f: FunctionBuilder,
  { heap, count, values }: IndexHeap,
  largest: boolean,
): Local<'i32'> {
  const top = f.let(i32.load(heap));
  f.increment(count, -1);
  f.do(i32.store(heap, i32.load(elementAt(heap, count))));
  f.call(emitSiftDown(library, largest), { heap, at: 0, count, values });
  return top;
}

/** Moves the number at a place down until nothing below is better. */
function emitSiftDown(library: KernelLibrary, largest: boolean): FunctionRef<typeof SIFT_PARAMS, undefined> {
  return library.once('sift down', { largest }, (name) =>
    library.module.function(name, { params: SIFT_PARAMS }, (f, { heap, at, count, values }) => {
      const valueOf = (number: Expr<'i32'>): Local<'f32'> => f.let(f32.load(elementAt(values, number)));
      const [child, other] = [f.local('i32'), f.local('i32')];
      const moved = f.let(i32.load(elementAt(heap, at)));
      const value = valueOf(moved);
      f.block((end) =>
        f.loop((again) => {
          const left = f.let(i32.add(i32.shl(at, 1), 1));
          f.branchIf(end, i32.geS(left, count));
          f.set(child, i32.load(elementAt(heap, left)));
          const right = f.let(i32.add(left, 1));
          f.if(i32.ltS(right, count), () => {
            f.set(other, i32.load(elementAt(heap, right)));
            f.if(isBetter(other, valueOf(other), child, valueOf(child)), () => {
              f.set(child, other);
              f.set(left, right);
            });
          });
          f.branchIf(end, isBetter(moved, value, child, valueOf(child)));
          f.do(i32.store(elementAt(heap, at), child));
          f.set(at, left);
          f.branch(again);
        }),
      );
      f.do(i32.store(elementAt(heap, at), moved));
    }),
  );

  function isBetter(
    a: Local<'i32'>,
    aValue: Local<'f32'>,
    b: Local<'i32'>,
    bValue: Local<'f32'>,
  ): Expr<'i32'> {
    const compare = largest ? f32.gt : f32.lt;
    return i32.or(compare(aValue, bValue), i32.and(f32.eq(aValue, bValue), i32.ltS(a, b)));
  }
}

function elementAt(start: Expr<'i32'>, number: Expr<'i32'>): Expr<'i32'> {
  return i32.add(start, i32.shl(number, 2));
}
