import { i16x8, i32, i8x16, v128, type Expr, type FunctionRef, type Local } from '../../../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';

const PARAMS = {
  /** The packed weight's place, 16-byte aligned. Before: int4 pairs in its upper half. After: packInt8's layout. */
  weights: 'i32',
  /** Bytes 1…15, [panels][⌈steps/8⌉][8]. */
  multipliers: 'i32',
  /** n/8. */
  panels: 'i32',
  /** k/4, rounded up. */
  steps: 'i32',
} as const;

const INTERLEAVE_LOW = [0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23];
const INTERLEAVE_HIGH = [8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31];
/** Each of four bytes, four times. */
const REPEAT_LOW = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3];
const REPEAT_HIGH = [4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7];

/**
 * Expands weights stored in 4 bits in place: q = int4 · multiplier[⌊k/32⌋][column]. The stored bytes hold two weights
 * each in the order of the packed layout, the first in the low half, and end where the weight's place ends: reading
 * stays ahead of writing.
 */
export function emitExpandInt4(library: KernelLibrary): FunctionRef<typeof PARAMS, undefined> {
  return library.once('expand int4', {}, (name) =>
    library.module.function(name, { params: PARAMS }, (f, p) => {
      const to = f.let(p.weights);
      const from = f.let(i32.add(to, i32.shl(i32.mul(p.panels, p.steps), 4)));
      const multiplier = f.let(p.multipliers);
      const panel = f.local('i32');
      const step = f.local('i32');
      f.whileBelow(panel, p.panels, 1, () => {
        f.set(step, 0);
        f.whileBelow(step, p.steps, 1, () => {
          const packed = f.let(v128.load(from));
          const even = f.let(i8x16.shrS(i8x16.shl(packed, 4), 4));
          const odd = f.let(i8x16.shrS(packed, 4));
          const columns = f.let(v128.load64Zero(multiplier));
          const low = f.let(i8x16.shuffle(columns, columns, REPEAT_LOW));
          const high = f.let(i8x16.shuffle(columns, columns, REPEAT_HIGH));
          f.do(v128.store(to, multiplyBytes(f.let(i8x16.shuffle(even, odd, INTERLEAVE_LOW)), low)));
          f.do(v128.store(to, multiplyBytes(f.let(i8x16.shuffle(even, odd, INTERLEAVE_HIGH)), high), 16));
          f.increment(from, 16);
          f.increment(to, 32);
          // Eight steps are 32 k; the last group of a panel may be shorter.
          f.if(i32.eq(i32.and(step, 7), 7), () => f.increment(multiplier, 8));
        });
        f.if(i32.and(p.steps, 7), () => f.increment(multiplier, 8));
      });
    }),
  );
}

/** Sixteen signed bytes times sixteen unsigned ones; the products fit into signed bytes. */
function multiplyBytes(a: Local<'v128'>, b: Local<'v128'>): Expr<'v128'> {
  return i8x16.narrowI16x8S(
    i16x8.mul(i16x8.extendLowI8x16S(a), i16x8.extendLowI8x16U(b)),
    i16x8.mul(i16x8.extendHighI8x16S(a), i16x8.extendHighI8x16U(b)),
  );
}
