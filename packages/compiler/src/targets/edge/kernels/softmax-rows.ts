import { f32, f32x4, i32, v128, type FunctionRef } from '../../../wasm/index.ts';
import type { ElementwiseSpec } from './elementwise.ts';
import type { KernelLibrary } from './kernel-library.ts';
import { LOG2_E } from './math-constants.ts';
import { forEachEight, keepLanes, lanesMask, reduceLanes } from './vector-code.ts';
import { exp2, log } from './vector-math.ts';

export interface SoftmaxRowsSpec extends ElementwiseSpec {
  /** Whether the logarithms are wanted: (x − max) − ln Σ. */
  readonly isLog: boolean;
}

const PARAMS = { x: 'i32', y: 'i32', m0: 'i32', m1: 'i32' } as const;

/**
 * y = softmax(x) over each row's n columns, rows [m0, m1); y may be x. Weights below 2^-127 of the largest are 0.
 */
export function emitSoftmaxRows(
  library: KernelLibrary,
  spec: SoftmaxRowsSpec,
): FunctionRef<typeof PARAMS, undefined> {
  return library.once('softmax rows', spec, (name) =>
    library.module.function(name, { params: PARAMS }, (f, p) => {
      const lanes = [f.local('v128'), f.local('v128')] as const;
      const value = f.local('v128');
      f.increment(p.x, i32.mul(p.m0, 4 * spec.xStride));
      f.increment(p.y, i32.mul(p.m0, 4 * spec.yStride));
      f.whileBelow(p.m0, p.m1, 1, () => {
        // Lanes without a column keep column 0, which changes no maximum.
        for (const vector of lanes) f.set(vector, v128.load32Splat(p.x));
        forEachEight(f, spec.n, (at, valid) => {
          for (const half of [0, 1] as const) {
            const count = valid - 4 * half;
            if (count <= 0) continue;
            f.set(value, v128.load(at(p.x), 16 * half));
            if (count < 4) f.set(value, v128.bitselect(value, lanes[half], lanesMask(count)));
            f.set(lanes[half], f32x4.pmax(lanes[half], value));
          }
        });
        const maximum = f.let(f32x4.splat(reduceLanes(f, f32x4.pmax(lanes[0], lanes[1]), f32x4.pmax)));
        for (const vector of lanes) f.set(vector, v128.zero());
        forEachEight(f, spec.n, (at, valid) => {
          const distances = lanes
            .slice(0, Math.ceil(valid / 4))
            .map((_, half) =>
              f.let(
                f32x4.pmax(
                  library.splat(-127),
                  f32x4.mul(f32x4.sub(v128.load(at(p.x), 16 * half), maximum), library.splat(LOG2_E)),
                ),
              ),
            );
          exp2(library, f, distances).forEach((weight, half) => {
            const lane = lanes[half as 0 | 1];
            f.set(value, keepLanes(weight, valid - 4 * half));
            if (!spec.isLog) f.do(v128.store(at(p.y), value, 16 * half));
            f.set(lane, f32x4.add(lane, value));
          });
        });
        const sum = reduceLanes(f, f32x4.add(lanes[0], lanes[1]), f32x4.add);
        const total = spec.isLog
          ? log(library, f, [f.let(f32x4.splat(sum))])[0]!
          : f.let(f32x4.splat(f32.div(f32.const(1), sum)));
        forEachEight(f, spec.n, (at, valid) => {
          for (const half of [0, 1] as const) {
            if (half * 4 >= valid) continue;
            const result = spec.isLog
              ? f32x4.sub(f32x4.sub(v128.load(at(p.x), 16 * half), maximum), total)
              : f32x4.mul(v128.load(at(p.y), 16 * half), total);
            f.do(v128.store(at(p.y), result, 16 * half));
          }
        });
        f.increment(p.x, 4 * spec.xStride);
        f.increment(p.y, 4 * spec.yStride);
      });
    }),
  );
}
