import {
  i16x8,
  i32,
  i32x4,
  i8x16,
  interleave,
  ModuleBuilder,
  v128,
  type Expr,
  type FunctionBuilder,
  type Local,
  type MemoryLimits,
} from '../../../wasm/index.ts';
import { LARGEST_PAIR } from '../../../quantize/grids/integer-grid.ts';
import { PAIR_FLAGS_PER_WORD } from './pair-flags.ts';

/** The exports of the module. */
export interface PackKernels {
  /**
   * Packs eight columns of a row-major matrix, whose rows are `stride` bytes apart: `steps` times four rows.
   * @param sums gets eight int32
   * @param flags gets the words of `packInt8`'s pair flags
   */
  readonly packPanel: (
    from: number,
    stride: number,
    steps: number,
    panel: number,
    sums: number,
    flags: number,
  ) => void;
}

/** The module behind `packInt8`, for a memory `env.memory`. */
export function packModule(memory: MemoryLimits): Uint8Array<ArrayBuffer> {
  const m = new ModuleBuilder();
  m.importMemory('env', 'memory', memory);
  const params = {
    from: 'i32',
    stride: 'i32',
    steps: 'i32',
    panel: 'i32',
    sums: 'i32',
    flags: 'i32',
  } as const;
  m.function('pack panel', { params, export: 'packPanel' }, (f, p) => {
    const end = f.let(i32.add(p.panel, i32.shl(p.steps, 5)));
    const pairsEnd = f.let(i32.add(p.panel, i32.shl(i32.shrU(p.steps, 1), 6)));
    const sums = [f.local('v128'), f.local('v128')] as const;
    const word = f.local('i32');
    const bit = f.let(i32.const(1));
    const finishWord = (): void => {
      f.do(i32.store(p.flags, i32.or(word, bit)));
      f.increment(p.flags, 4);
    };
    f.whileBelow(p.panel, pairsEnd, 64, () => {
      const first = packStep(f, p, sums, 0);
      const second = packStep(f, p, sums, 32);
      f.set(word, i32.or(word, i32.mul(bit, i32.eqz(v128.anyTrue(overflows(f, first, second))))));
      f.set(bit, i32.shl(bit, 1));
      f.if(i32.eq(bit, i32.const(1 << PAIR_FLAGS_PER_WORD)), () => {
        finishWord();
        f.set(word, 0);
        f.set(bit, 1);
      });
    });
    f.if(i32.ne(bit, 1), finishWord);
    f.if(i32.ltU(p.panel, end), () => packStep(f, p, sums, 0));
    f.do(v128.store(p.sums, sums[0]), v128.store(p.sums, sums[1], 16));
  });
  return m.finish();
}

type Halves = readonly [Local<'v128'>, Local<'v128'>];

/** Four rows of eight columns, column by column, into the panel: columns 0–3 and 4–7. Adds them to the sums. */
function packStep(
  f: FunctionBuilder,
  { from, stride, panel }: { from: Local<'i32'>; stride: Local<'i32'>; panel: Local<'i32'> },
  sums: Halves,
  offset: number,
): Halves {
  const rows = [0, 1, 2, 3].map(() => {
    const row = f.let(v128.load64Zero(from));
    f.increment(from, stride);
    return row;
  });
  const pairs = [0, 2].map((row) => f.let(interleave(rows[row]!, rows[row + 1]!, 1, 0)));
  const halves = [0, 8].map((byte) => f.let(interleave(pairs[0]!, pairs[1]!, 2, byte)));
  halves.forEach((half, index) => {
    const sum = sums[index]!;
    f.do(v128.store(panel, half, offset + 16 * index));
    f.set(sum, i32x4.add(sum, i32x4.extaddPairwiseI16x8S(i16x8.extaddPairwiseI8x16S(half))));
  });
  return [halves[0]!, halves[1]!];
}

/** All bits set in lanes whose positive or negative weights of both steps sum to more than the `pairs` mode can add. */
function overflows(f: FunctionBuilder, first: Halves, second: Halves): Expr<'v128'> {
  const zero = f.let(v128.zero());
  const limit = f.let(i16x8.splat(LARGEST_PAIR));
  const lowest = f.let(i16x8.splat(-LARGEST_PAIR));
  const [left, right] = [0, 1].map((half) => {
    const sum = (part: (a: Expr<'v128'>, b: Expr<'v128'>) => Expr<'v128'>): Expr<'v128'> =>
      i16x8.add(
        i16x8.extaddPairwiseI8x16S(part(first[half]!, zero)),
        i16x8.extaddPairwiseI8x16S(part(second[half]!, zero)),
      );
    return v128.or(i16x8.gtS(sum(i8x16.maxS), limit), i16x8.gtS(lowest, sum(i8x16.minS)));
  });
  return v128.or(left!, right!);
}
