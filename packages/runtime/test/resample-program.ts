import { i16x8, i32, i32x4, i8x16, ModuleBuilder, v128 } from '../../compiler/src/wasm/index.ts';
import { LOW_BITS, PRECISION_BITS } from '../src/image/coefficients.ts';

const MAX_PAGES = 2 ** 16;

/**
 * The program of src/image/resize-pillow.ts: sums of four bytes of each of some pixels with weights of 23 bits, exact. A
 * weight is `high · 2^15 + low`; two pixels are multiplied by the low parts and by the high ones of two weights at a time.
 */
export function resampleProgram(): Uint8Array {
  const m = new ModuleBuilder();
  m.importMemory('env', 'memory', { min: 1, max: MAX_PAGES });
  const params = {
    from: 'i32',
    to: 'i32',
    table: 'i32',
    end: 'i32',
    taps: 'i32',
    step: 'i32',
    toStep: 'i32',
  } as const;
  m.function('weigh', { params, export: 'weigh' }, (f, { from, to, table, end, taps, step, toStep }) => {
    const at = f.local('i32');
    const rowEnd = f.local('i32');
    const pair = f.local('v128');
    const low = f.local('v128');
    const high = f.local('v128');
    const half = i32x4.splat(i32.const(1 << (PRECISION_BITS - 1)));
    f.loop((again) => {
      f.set(at, i32.add(from, i32.mul(i32.load(table), step)));
      f.increment(table, 4);
      f.set(rowEnd, i32.add(table, i32.shl(taps, 2)));
      f.set(low, half);
      f.set(high, v128.zero());
      f.whileBelow(table, rowEnd, 8, () => {
        const next = v128.load32Zero(i32.add(at, step));
        const bytes = i8x16.shuffle(v128.load32Zero(at), next, INTERLEAVE);
        f.set(pair, i16x8.extendLowI8x16U(bytes));
        f.set(low, i32x4.add(low, i32x4.dotI16x8S(pair, v128.load32Splat(table))));
        f.set(high, i32x4.add(high, i32x4.dotI16x8S(pair, v128.load32Splat(table, 4))));
        f.increment(at, i32.shl(step, 1));
      });
      f.set(low, i32x4.add(low, i32x4.shl(high, LOW_BITS)));
      f.set(low, i32x4.shrS(low, PRECISION_BITS));
      f.set(low, i16x8.narrowI32x4S(low, low));
      f.do(v128.store32Lane(to, i8x16.narrowI16x8U(low, low), 0));
      f.increment(to, toStep);
      f.branchIf(again, i32.ltS(table, end));
    });
  });
  return m.finish();
}

/** Bytes of both vectors in turn. */
const INTERLEAVE = Array.from({ length: 16 }, (_, i) => (i >> 1) + 16 * (i & 1));

/** The source file that holds it. */
export function resampleProgramSource(): string {
  const code = Buffer.from(resampleProgram()).toString('base64');
  return `// Written by 'npx vitest run resample-program --update' from test/resample-program.ts.
/** WebAssembly, base64. */
export const RESAMPLE_PROGRAM =
  '${code}';
`;
}
