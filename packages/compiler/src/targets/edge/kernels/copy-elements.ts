import {
  i32,
  i8x16,
  v128,
  type Expr,
  type FunctionBuilder,
  type FunctionRef,
  type Local,
  type Statement,
} from '../../../wasm/index.ts';
import { MODE, type KernelLibrary } from './kernel-library.ts';

/** A loop: `extent` times, with steps in bytes. */
export interface CopyLoop {
  readonly extent: number;
  readonly from: number;
  readonly to: number;
}

export interface CopyElementsSpec {
  readonly elementBytes: 1 | 4;
  /** Over the rows that are counted, outermost first. */
  readonly rows: readonly CopyLoop[];
  /** Within a row, outermost first. */
  readonly columns: readonly CopyLoop[];
  /** Where a row begins in x is in a list; the loop over rows, the only one, has no step there. */
  readonly isListed: boolean;
  /** Bytes are looked up in a table. */
  readonly hasTable: boolean;
}

const PARAMS = {
  /** The first element. */
  x: 'i32',
  /** int32 bytes from x for each row; without a list anything. */
  list: 'i32',
  /** 256 bytes, what each byte becomes; without a table anything. */
  table: 'i32',
  y: 'i32',
  /** COPY_TABLE_BYTES bytes of this thread; without a table anything. */
  scratch: 'i32',
  m0: 'i32',
  m1: 'i32',
} as const;

/** Scratch that a copy through a table needs. */
export const COPY_TABLE_BYTES = 256;

/** Copies the elements of rows [m0, m1) of nested loops from one place to another. Nothing else is written. */
export function emitCopyElements(
  library: KernelLibrary,
  spec: CopyElementsSpec,
): FunctionRef<typeof PARAMS, undefined> {
  return library.once('copy elements', spec, (name) =>
    library.module.function(name, { params: PARAMS }, (f, { x, list, table, y, scratch, m0, m1 }) => {
      if (spec.hasTable) emitTableOfMode(library, f, table, scratch);
      const digits = emitDigits(f, spec.rows, { x, y, m0 });
      f.whileBelow(m0, m1, 1, () => {
        const from = spec.isListed ? i32.add(x, i32.load(i32.add(list, i32.shl(m0, 2)))) : x;
        emitColumns(f, spec, spec.columns, { x: f.let(from), y: f.let(y), table });
        emitNextRow(f, spec.rows, digits, { x, y });
      });
    }),
  );
}

interface Pointers {
  readonly x: Local<'i32'>;
  readonly y: Local<'i32'>;
}

interface ColumnPointers extends Pointers {
  readonly table: Local<'i32'>;
}

/** In mode s8, whose bytes have their top bit flipped, so have the places and the contents of the table. */
function emitTableOfMode(
  library: KernelLibrary,
  f: FunctionBuilder,
  table: Local<'i32'>,
  scratch: Local<'i32'>,
): void {
  if (library.rung !== 'relaxed') return;
  f.if(i32.eq(library.mode, MODE.s8), () => {
    const top = f.let(i8x16.splat(i32.const(0x80)));
    for (let at = 0; at < COPY_TABLE_BYTES; at += 16)
      f.do(v128.store(scratch, v128.xor(v128.load(table, at ^ 0x80), top), at));
    f.set(table, scratch);
  });
}

/** The number of the first row as digits of the loops; moves the pointers there. The outermost digit is not kept. */
function emitDigits(
  f: FunctionBuilder,
  loops: readonly CopyLoop[],
  { x, y, m0 }: Pointers & { readonly m0: Local<'i32'> },
): readonly Local<'i32'>[] {
  const rest = f.let(m0);
  return loops
    .toReversed()
    .map(({ extent, from, to }, index) => {
      const isOutermost = index === loops.length - 1;
      const digit = f.let(isOutermost ? rest : i32.remU(rest, extent));
      f.set(rest, i32.divU(rest, extent));
      f.increment(x, i32.mul(digit, from));
      f.increment(y, i32.mul(digit, to));
      return digit;
    })
    .toReversed();
}

/** Counts up the innermost digit, and the one before it where it overflows. */
function emitNextRow(
  f: FunctionBuilder,
  loops: readonly CopyLoop[],
  digits: readonly Local<'i32'>[],
  { x, y }: Pointers,
): void {
  const loop = loops.at(-1);
  const digit = digits.at(-1);
  if (!loop || !digit) return;
  f.increment(x, loop.from);
  f.increment(y, loop.to);
  if (loops.length === 1) return;
  f.increment(digit, 1);
  f.if(i32.eq(digit, loop.extent), () => {
    f.set(digit, 0);
    f.increment(x, -loop.extent * loop.from);
    f.increment(y, -loop.extent * loop.to);
    emitNextRow(f, loops.slice(0, -1), digits.slice(0, -1), { x, y });
  });
}

/** Turns of a loop that are written one by one. */
const UNROLLED = 8;

function emitColumns(
  f: FunctionBuilder,
  spec: CopyElementsSpec,
  loops: readonly CopyLoop[],
  p: ColumnPointers,
): void {
  const [loop, ...inner] = loops;
  const { elementBytes, hasTable } = spec;
  const isContiguous = loop?.from === elementBytes && loop.to === elementBytes;
  if (!loop) f.do(emitElement(spec, p, 0, 0));
  else if (inner.length > 0) {
    const walk = { ...p, x: f.let(p.x), y: f.let(p.y) };
    f.whileBelow(f.let(i32.const(0)), loop.extent, 1, () => {
      emitColumns(f, spec, inner, walk);
      f.increment(walk.x, loop.from);
      f.increment(walk.y, loop.to);
    });
  } else if (isContiguous && !hasTable) emitRun(f, p, loop.extent * elementBytes);
  else if (loop.from === 2 * elementBytes && loop.to === elementBytes && !hasTable)
    emitEverySecond(f, spec, loop.extent, p);
  else emitElements(f, spec, loop, p);
}

function emitElement(
  { elementBytes, hasTable }: CopyElementsSpec,
  { x, y, table }: ColumnPointers,
  from: number,
  to: number,
): Statement {
  if (elementBytes === 4) return i32.store(y, i32.load(x, from), to);
  const byte: Expr<'i32'> = i32.load8U(x, from);
  return i32.store8(y, hasTable ? i32.load8U(i32.add(table, byte)) : byte, to);
}

/** One element at a time, some in each turn. */
function emitElements(
  f: FunctionBuilder,
  spec: CopyElementsSpec,
  { extent, from, to }: CopyLoop,
  p: ColumnPointers,
): void {
  const turns = Math.floor(extent / UNROLLED);
  const walk = { ...p, x: f.let(p.x), y: f.let(p.y) };
  const emitTurn = (count: number): void => {
    // Offsets of instructions cannot be negative: backwards the pointer is at the last element.
    const back = from < 0 && count > 0 ? (count - 1) * from : 0;
    const pointers = back === 0 ? walk : { ...walk, x: f.let(i32.add(walk.x, back)) };
    for (let index = 0; index < count; index++)
      f.do(emitElement(spec, pointers, index * from - back, index * to));
  };
  f.whileBelow(f.let(i32.const(0)), turns, 1, () => {
    emitTurn(UNROLLED);
    f.increment(walk.x, UNROLLED * from);
    f.increment(walk.y, UNROLLED * to);
  });
  emitTurn(extent % UNROLLED);
}

/** Vectors that are copied one by one rather than in a loop. */
const UNROLLED_VECTORS = 4;

/** Bytes that follow each other. */
function emitRun(f: FunctionBuilder, { x, y }: Pointers, bytes: number): void {
  const whole = bytes & ~15;
  if (whole <= 16 * UNROLLED_VECTORS) {
    for (let at = 0; at < whole; at += 16) f.do(v128.store(y, v128.load(x, at), at));
  } else {
    const at = f.let(i32.const(0));
    f.whileBelow(at, whole, 16, () => f.do(v128.store(i32.add(y, at), v128.load(i32.add(x, at)))));
  }
  let at = whole;
  if (bytes - at >= 8) {
    f.do(v128.store64Lane(y, v128.load64Zero(x, at), 0, at));
    at += 8;
  }
  if (bytes - at >= 4) {
    f.do(i32.store(y, i32.load(x, at), at));
    at += 4;
  }
  for (; at < bytes; at++) f.do(i32.store8(y, i32.load8U(x, at), at));
}

/** Elements of which every second one is taken: a vector from two. */
function emitEverySecond(
  f: FunctionBuilder,
  spec: CopyElementsSpec,
  extent: number,
  p: ColumnPointers,
): void {
  const { elementBytes } = spec;
  const lanes = Array.from(
    { length: 16 },
    (_, byte) => 2 * (byte - (byte % elementBytes)) + (byte % elementBytes),
  );
  const perVector = 16 / elementBytes;
  // The last element's neighbour need not exist.
  const vectors = Math.floor((extent - 1) / perVector);
  const walk = { ...p, x: f.let(p.x), y: f.let(p.y) };
  f.whileBelow(f.let(i32.const(0)), vectors, 1, () => {
    f.do(v128.store(walk.y, i8x16.shuffle(v128.load(walk.x), v128.load(walk.x, 16), lanes)));
    f.increment(walk.x, 32);
    f.increment(walk.y, 16);
  });
  const rest = { extent: extent - vectors * perVector, from: 2 * elementBytes, to: elementBytes };
  emitElements(f, spec, rest, walk);
}
