import {
  f32,
  f32x4,
  i32,
  i32x4,
  select,
  v128,
  type Expr,
  type FunctionRef,
  type Local,
} from '../../../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';
import { lanesMask } from './vector-code.ts';

export interface ArgRowsSpec {
  /** The largest value of a row, or the smallest. */
  readonly largest: boolean;
  /** Of equal values the last, or the first. */
  readonly last: boolean;
  readonly columns: number;
  /** Floats from row to row of x. */
  readonly xStride: number;
}

const PARAMS = { x: 'i32', y: 'i32', m0: 'i32', m1: 'i32' } as const;

const VECTOR_BYTES = 16;
const LANES = [0, 1, 2, 3] as const;

/** y[m] = the column of the row's largest (or smallest) value, one i32 a row, rows [m0, m1). NaN are passed over. */
export function emitArgRows(
  library: KernelLibrary,
  spec: ArgRowsSpec,
): FunctionRef<typeof PARAMS, undefined> {
  const { largest, last, columns } = spec;
  const isBetter = largest ? (last ? f32x4.ge : f32x4.gt) : last ? f32x4.le : f32x4.lt;
  const isBetterLane = largest ? f32.gt : f32.lt;
  const wholeBytes = VECTOR_BYTES * Math.floor(columns / 4);
  return library.once('arg rows', spec, (name) =>
    library.module.function(name, { params: PARAMS }, (f, { x, y, m0, m1 }) => {
      const [best, places, bestPlaces] = [f.local('v128'), f.local('v128'), f.local('v128')];
      const [value, better] = [f.local('v128'), f.local('v128')];
      const at = f.local('i32');
      const take = (values: Expr<'v128'>): void => {
        f.set(value, values);
        f.set(better, isBetter(value, best));
        f.set(best, v128.bitselect(value, best, better));
        f.set(bestPlaces, v128.bitselect(places, bestPlaces, better));
      };
      f.increment(x, i32.mul(m0, 4 * spec.xStride));
      f.increment(y, i32.shl(m0, 2));
      f.whileBelow(m0, m1, 1, () => {
        f.set(best, library.splat(largest ? -Infinity : Infinity));
        f.set(places, v128.const(LANES.flatMap((lane) => [lane, 0, 0, 0])));
        f.set(bestPlaces, v128.zero());
        f.set(at, 0);
        f.whileBelow(at, wholeBytes, VECTOR_BYTES, () => {
          take(v128.load(i32.add(x, at)));
          f.set(places, i32x4.add(places, library.splatBits(4)));
        });
        // Lanes without a column hold NaN, which is never better.
        if (columns % 4 > 0)
          take(v128.bitselect(v128.load(x, wholeBytes), library.splat(Number.NaN), lanesMask(columns % 4)));
        f.do(i32.store(y, bestOfLanes()));
        f.increment(x, 4 * spec.xStride);
        f.increment(y, 4);
      });

      /** Of equal lanes the one with the first (or last) place. */
      function bestOfLanes(): Local<'i32'> {
        const bestValue = f.let(f32x4.extractLane(best, 0));
        const bestPlace = f.let(i32x4.extractLane(bestPlaces, 0));
        for (const lane of LANES.slice(1)) {
          const laneValue = f.let(f32x4.extractLane(best, lane));
          const place = f.let(i32x4.extractLane(bestPlaces, lane));
          const isFurther = last ? i32.gtS(place, bestPlace) : i32.ltS(place, bestPlace);
          const isTaken = f.let(
            i32.or(isBetterLane(laneValue, bestValue), i32.and(f32.eq(laneValue, bestValue), isFurther)),
          );
          f.set(bestValue, select(laneValue, bestValue, isTaken));
          f.set(bestPlace, select(place, bestPlace, isTaken));
        }
        return bestPlace;
      }
    }),
  );
}
