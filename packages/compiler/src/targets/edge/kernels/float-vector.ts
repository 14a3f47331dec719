import { f32x4, i32, v128, type FunctionRef, type Local } from '../../../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';

export interface FloatVectorSpec {
  /** Products per output. */
  k: number;
}

const PARAMS = {
  x: 'i32',
  /** Panels [k][8], one behind the other. */
  w: 'i32',
  y: 'i32',
  /** Eight floats for each panel, added last. */
  extra: 'i32',
  panels: 'i32',
} as const;
type Parameters = typeof PARAMS;

/** Panels that are summed at the same time: enough independent sums to hide how long an addition takes. */
const WIDTH = 2;
/** Products in one turn of the loop over k. */
const UNROLL = 2;

/**
 * y = Σ_k x[k]·w[k] + extra for a single row: the sums of emitFloatRows, bit for bit, several panels at a time instead
 * of several rows.
 */
export function emitFloatVector(
  library: KernelLibrary,
  spec: FloatVectorSpec,
): FunctionRef<Parameters, undefined> {
  return library.once('float vector', spec, (name) => {
    const wide = emitPanels(library, spec, WIDTH);
    const single = emitPanels(library, spec, 1);
    return library.module.function(name, { params: PARAMS }, (f, p) => {
      const rest = f.let(i32.remU(p.panels, WIDTH));
      const groups = f.let(i32.divU(p.panels, WIDTH));
      const { panels: _, ...args } = p;
      f.if(groups, () => f.call(wide, { ...args, panels: groups }));
      const done = f.let(i32.mul(groups, WIDTH));
      f.increment(p.w, i32.mul(done, 32 * spec.k));
      f.increment(p.y, i32.shl(done, 5));
      f.increment(p.extra, i32.shl(done, 5));
      f.if(rest, () => f.call(single, { ...args, panels: rest }));
    });
  });
}

/** `panels` counts groups of `width` panels, at least one. */
function emitPanels(
  library: KernelLibrary,
  spec: FloatVectorSpec,
  width: number,
): FunctionRef<Parameters, undefined> {
  return library.once('float vector panels', { ...spec, width }, (name) =>
    library.module.function(name, { params: PARAMS }, (f, p) => {
      const sums = Array.from({ length: 2 * width }, () => f.local('v128'));
      const factor = f.local('v128');
      const xAt = f.local('i32');
      const wAt = f.local('i32');
      const end = f.let(i32.add(p.x, 4 * spec.k));
      const lastTurn = f.let(i32.sub(end, 4 * (UNROLL - 1)));
      const weightAt = (sum: number, step: number): number =>
        32 * (Math.floor(sum / 2) * spec.k + step) + 16 * (sum % 2);
      const step = (index: number): void => {
        f.set(factor, v128.load32Splat(xAt, 4 * index));
        sums.forEach((sum, s) =>
          f.set(sum, f32x4.add(sum, f32x4.mul(factor, v128.load(wAt, weightAt(s, index))))),
        );
      };
      f.loop((nextGroup) => {
        for (const sum of sums) f.set(sum, v128.zero());
        f.set(xAt, p.x);
        f.set(wAt, p.w);
        f.whileBelow(xAt, lastTurn, 4 * UNROLL, () => {
          for (let index = 0; index < UNROLL; index++) step(index);
          f.increment(wAt, 32 * UNROLL);
        });
        f.whileBelow(xAt, end, 4, () => {
          step(0);
          f.increment(wAt, 32);
        });
        sums.forEach((sum: Local<'v128'>, s) =>
          f.do(v128.store(p.y, f32x4.add(sum, v128.load(p.extra, 16 * s)), 16 * s)),
        );
        f.increment(p.w, 32 * width * spec.k);
        f.increment(p.y, 32 * width);
        f.increment(p.extra, 32 * width);
        f.increment(p.panels, -1);
        f.branchIf(nextGroup, p.panels);
      });
    }),
  );
}
