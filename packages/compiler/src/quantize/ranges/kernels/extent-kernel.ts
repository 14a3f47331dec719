import { f32x4, i32, ModuleBuilder, v128, type MemoryLimits } from '../../../wasm/index.ts';

/** Bytes of a turn, and of what a turn gives: two vectors of lowest and two of highest numbers. */
export const TURN_BYTES = 32;

export interface ExtentKernels {
  /**
   * Smallest and largest of the float32 in [from, end), which is a number of turns: eight of each, lane by lane, at `out`, and behind them
   * sums that are NaN where an element is not finite.
   */
  readonly findExtents: (from: number, end: number, out: number) => void;
}

export function extentModule(memory: MemoryLimits): Uint8Array<ArrayBuffer> {
  const m = new ModuleBuilder();
  m.importMemory('env', 'memory', memory);
  const params = { from: 'i32', end: 'i32', out: 'i32' } as const;
  m.function('find extents', { params, export: 'findExtents' }, (f, { from, end, out }) => {
    const lanes = [0, 16].map((offset) => {
      const first = f.let(v128.load(from, offset));
      return { offset, min: first, max: f.let(first), rest: f.let(v128.zero()) };
    });
    const value = f.local('v128');
    f.whileBelow(from, end, TURN_BYTES, () => {
      for (const { offset, min, max, rest } of lanes) {
        f.set(value, v128.load(from, offset));
        f.set(min, f32x4.pmin(min, value));
        f.set(max, f32x4.pmax(max, value));
        f.set(rest, f32x4.add(rest, f32x4.sub(value, value)));
      }
    });
    for (const { offset, min, max, rest } of lanes) {
      [min, max, rest].forEach((vector, index) =>
        f.do(v128.store(i32.add(out, TURN_BYTES * index), vector, offset)),
      );
    }
  });
  return m.finish();
}
