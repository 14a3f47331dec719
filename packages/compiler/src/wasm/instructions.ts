import { float32, signed, unsigned, type Code } from './encoding.ts';
import type { Expr, Operand, Statement, ValueType } from './types.ts';

// Opcodes: WebAssembly core specification 2.0 (numeric, vector), threads and relaxed SIMD proposals.

type Unary<A extends ValueType, R extends ValueType> = (a: Operand<A>) => Expr<R>;
type Binary<A extends ValueType, B extends ValueType, R extends ValueType> = (
  a: Operand<A>,
  b: Operand<B>,
) => Expr<R>;
type Ternary<R extends ValueType> = (a: Expr<'v128'>, b: Expr<'v128'>, c: Expr<'v128'>) => Expr<R>;
type Load<R extends ValueType> = (address: Operand<'i32'>, offset?: number) => Expr<R>;
type Store<T extends ValueType> = (address: Operand<'i32'>, value: Operand<T>, offset?: number) => Statement;
type StoreLane = (address: Operand<'i32'>, value: Expr<'v128'>, lane: number, offset?: number) => Statement;
type ExtractLane<R extends ValueType> = (a: Expr<'v128'>, lane: number) => Expr<R>;

type I32Instructions = Readonly<
  Record<'const', (value: number) => Expr<'i32'>> &
    Record<'load' | 'load8S' | 'load8U', Load<'i32'>> &
    Record<'store' | 'store8', Store<'i32'>> &
    Record<'eqz', Unary<'i32', 'i32'>> &
    Record<
      | 'eq'
      | 'ne'
      | 'ltS'
      | 'ltU'
      | 'gtS'
      | 'gtU'
      | 'leS'
      | 'leU'
      | 'geS'
      | 'geU'
      | 'add'
      | 'sub'
      | 'mul'
      | 'divS'
      | 'divU'
      | 'remS'
      | 'remU'
      | 'and'
      | 'or'
      | 'xor'
      | 'shl'
      | 'shrS'
      | 'shrU',
      Binary<'i32', 'i32', 'i32'>
    > &
    Record<'truncSatF32S' | 'reinterpretF32', Unary<'f32', 'i32'>>
>;
type I64Instructions = Readonly<
  Record<'const', (value: number) => Expr<'i64'>> &
    Record<'load', Load<'i64'>> &
    Record<'wrapToI32', Unary<'i64', 'i32'>>
>;
type F32Instructions = Readonly<
  Record<'const', (value: number) => Expr<'f32'>> &
    Record<'load', Load<'f32'>> &
    Record<'store', Store<'f32'>> &
    Record<'eq' | 'ne' | 'lt' | 'gt', Binary<'f32', 'f32', 'i32'>> &
    Record<'abs' | 'neg' | 'nearest' | 'sqrt', Unary<'f32', 'f32'>> &
    Record<'add' | 'sub' | 'mul' | 'div' | 'min' | 'max', Binary<'f32', 'f32', 'f32'>> &
    Record<'convertI32S' | 'reinterpretI32', Unary<'i32', 'f32'>>
>;
type V128Instructions = Readonly<
  Record<'const', (bytes: readonly number[]) => Expr<'v128'>> &
    Record<'zero', () => Expr<'v128'>> &
    Record<
      'load' | 'load8Splat' | 'load32Splat' | 'load64Splat' | 'load32Zero' | 'load64Zero',
      Load<'v128'>
    > &
    Record<'store', Store<'v128'>> &
    Record<'store8Lane' | 'store32Lane' | 'store64Lane', StoreLane> &
    Record<'not', Unary<'v128', 'v128'>> &
    Record<'and' | 'andnot' | 'or' | 'xor', Binary<'v128', 'v128', 'v128'>> &
    Record<'bitselect', Ternary<'v128'>> &
    Record<'anyTrue', Unary<'v128', 'i32'>>
>;
type I8x16Instructions = Readonly<
  Record<'shuffle', (a: Expr<'v128'>, b: Expr<'v128'>, lanes: readonly number[]) => Expr<'v128'>> &
    Record<'splat', Unary<'i32', 'v128'>> &
    Record<
      'narrowI16x8S' | 'narrowI16x8U' | 'add' | 'sub' | 'minS' | 'maxS' | 'maxU',
      Binary<'v128', 'v128', 'v128'>
    > &
    Record<'shl' | 'shrS' | 'shrU', Binary<'v128', 'i32', 'v128'>>
>;
type I16x8Instructions = Readonly<
  Record<'load8x8S' | 'load8x8U', Load<'v128'>> &
    Record<'splat', Unary<'i32', 'v128'>> &
    Record<
      'narrowI32x4S' | 'gtS' | 'add' | 'sub' | 'mul' | 'relaxedDotI8x16I7x16S',
      Binary<'v128', 'v128', 'v128'>
    > &
    Record<
      | 'extaddPairwiseI8x16S'
      | 'extendLowI8x16S'
      | 'extendHighI8x16S'
      | 'extendLowI8x16U'
      | 'extendHighI8x16U',
      Unary<'v128', 'v128'>
    > &
    Record<'shl' | 'shrS' | 'shrU', Binary<'v128', 'i32', 'v128'>>
>;
type I32x4Instructions = Readonly<
  Record<'load16x4S', Load<'v128'>> &
    Record<'splat', Unary<'i32', 'v128'>> &
    Record<'extractLane', ExtractLane<'i32'>> &
    Record<
      'eq' | 'ne' | 'ltS' | 'gtS' | 'add' | 'sub' | 'mul' | 'minS' | 'maxS' | 'dotI16x8S',
      Binary<'v128', 'v128', 'v128'>
    > &
    Record<
      'extaddPairwiseI16x8S' | 'extendLowI16x8S' | 'extendHighI16x8S' | 'truncSatF32x4S',
      Unary<'v128', 'v128'>
    > &
    Record<'shl' | 'shrS', Binary<'v128', 'i32', 'v128'>> &
    Record<'relaxedDotI8x16I7x16AddS', Ternary<'v128'>>
>;
type F32x4Instructions = Readonly<
  Record<'splat', Unary<'f32', 'v128'>> &
    Record<'extractLane', ExtractLane<'f32'>> &
    Record<
      'lt' | 'gt' | 'le' | 'ge' | 'add' | 'sub' | 'mul' | 'div' | 'min' | 'max' | 'pmin' | 'pmax',
      Binary<'v128', 'v128', 'v128'>
    > &
    Record<
      'ceil' | 'floor' | 'nearest' | 'abs' | 'neg' | 'sqrt' | 'convertI32x4S' | 'demoteF64x2Zero',
      Unary<'v128', 'v128'>
    >
>;
type I64x2Instructions = Readonly<Record<'sub', Binary<'v128', 'v128', 'v128'>>>;
type F64x2Instructions = Readonly<
  Record<'ne' | 'add' | 'sub' | 'mul' | 'pmin' | 'pmax', Binary<'v128', 'v128', 'v128'>> &
    Record<'nearest' | 'promoteLowF32x4', Unary<'v128', 'v128'>>
>;
type AtomicInstructions = Readonly<
  Record<'notify' | 'add', Binary<'i32', 'i32', 'i32'>> &
    Record<
      'wait32',
      (address: Operand<'i32'>, expected: Operand<'i32'>, timeoutNanoseconds: Expr<'i64'>) => Expr<'i32'>
    > &
    Record<'load', Load<'i32'>> &
    Record<'store', Store<'i32'>>
>;

const PREFIX_SATURATING = 0xfc;
const PREFIX_VECTOR = 0xfd;
const PREFIX_ATOMIC = 0xfe;

const vectorOp = (opcode: number): Code => [PREFIX_VECTOR, unsigned(opcode)];
const SHUFFLE = vectorOp(13);

/** The code of an operand; a plain number is an i32 constant. */
export function operandCode(operand: Expr | number): Code {
  return typeof operand === 'number' ? [0x41, ...signed(operand)] : operand.code;
}

const unary =
  <A extends ValueType, R extends ValueType>(type: R, opcode: Code): Unary<A, R> =>
  (a) => ({ type, code: [operandCode(a), opcode] });

const binary =
  <A extends ValueType, B extends ValueType, R extends ValueType>(type: R, opcode: Code): Binary<A, B, R> =>
  (a, b) => ({ type, code: [operandCode(a), operandCode(b), opcode] });

/** `align` is the base-2 logarithm of the natural alignment; only a hint except for atomics. */
const load =
  <R extends ValueType>(type: R, opcode: Code, align: number): Load<R> =>
  (address, offset = 0) => ({ type, code: [operandCode(address), opcode, align, unsigned(offset)] });

const store =
  <T extends ValueType>(opcode: Code, align: number): Store<T> =>
  (address, value, offset = 0) => ({
    type: 'none',
    code: [operandCode(address), operandCode(value), opcode, align, unsigned(offset)],
  });

const i32Binary = (opcode: number): Binary<'i32', 'i32', 'i32'> => binary('i32', [opcode]);
const f32Binary = (opcode: number): Binary<'f32', 'f32', 'f32'> => binary('f32', [opcode]);
const f32Compare = (opcode: number): Binary<'f32', 'f32', 'i32'> => binary('i32', [opcode]);
const v1 = (opcode: number): Unary<'v128', 'v128'> => unary('v128', vectorOp(opcode));
const v2 = (opcode: number): Binary<'v128', 'v128', 'v128'> => binary('v128', vectorOp(opcode));
const shift = (opcode: number): Binary<'v128', 'i32', 'v128'> => binary('v128', vectorOp(opcode));
const v3 = (opcode: number): Ternary<'v128'> => {
  const code = vectorOp(opcode);
  return (a, b, c) => ({ type: 'v128', code: [a.code, b.code, c.code, code] });
};
const extract = <R extends ValueType>(type: R, opcode: number): ExtractLane<R> => {
  const code = vectorOp(opcode);
  return (a, lane) => ({ type, code: [a.code, code, lane] });
};
const storeLane = (opcode: number, align: number): StoreLane => {
  const code = vectorOp(opcode);
  return (address, value, lane, offset = 0) => ({
    type: 'none',
    code: [operandCode(address), value.code, code, align, unsigned(offset), lane],
  });
};

/** `condition ? a : b`, both evaluated. */
export function select<T extends ValueType>(a: Expr<T>, b: Expr<T>, condition: Operand<'i32'>): Expr<T> {
  const opcode = a.type === 'v128' ? [0x1c, 1, 0x7b] : [0x1b];
  return { type: a.type, code: [a.code, b.code, operandCode(condition), opcode] };
}

export const i32: I32Instructions = {
  const: (value: number): Expr<'i32'> => ({ type: 'i32', code: operandCode(value) }),
  load: load('i32', [0x28], 2),
  load8S: load('i32', [0x2c], 0),
  load8U: load('i32', [0x2d], 0),
  store: store<'i32'>([0x36], 2),
  store8: store<'i32'>([0x3a], 0),
  eqz: unary<'i32', 'i32'>('i32', [0x45]),
  eq: i32Binary(0x46),
  ne: i32Binary(0x47),
  ltS: i32Binary(0x48),
  ltU: i32Binary(0x49),
  gtS: i32Binary(0x4a),
  gtU: i32Binary(0x4b),
  leS: i32Binary(0x4c),
  leU: i32Binary(0x4d),
  geS: i32Binary(0x4e),
  geU: i32Binary(0x4f),
  add: i32Binary(0x6a),
  sub: i32Binary(0x6b),
  mul: i32Binary(0x6c),
  divS: i32Binary(0x6d),
  divU: i32Binary(0x6e),
  remS: i32Binary(0x6f),
  remU: i32Binary(0x70),
  and: i32Binary(0x71),
  or: i32Binary(0x72),
  xor: i32Binary(0x73),
  shl: i32Binary(0x74),
  shrS: i32Binary(0x75),
  shrU: i32Binary(0x76),
  truncSatF32S: unary<'f32', 'i32'>('i32', [PREFIX_SATURATING, 0]),
  reinterpretF32: unary<'f32', 'i32'>('i32', [0xbc]),
};

export const i64: I64Instructions = {
  const: (value: number): Expr<'i64'> => ({ type: 'i64', code: [0x42, signed(value)] }),
  load: load('i64', [0x29], 3),
  wrapToI32: unary<'i64', 'i32'>('i32', [0xa7]),
};

export const f32: F32Instructions = {
  const: (value: number): Expr<'f32'> => ({ type: 'f32', code: [0x43, float32(value)] }),
  load: load('f32', [0x2a], 2),
  store: store<'f32'>([0x38], 2),
  eq: f32Compare(0x5b),
  ne: f32Compare(0x5c),
  lt: f32Compare(0x5d),
  gt: f32Compare(0x5e),
  abs: unary<'f32', 'f32'>('f32', [0x8b]),
  neg: unary<'f32', 'f32'>('f32', [0x8c]),
  nearest: unary<'f32', 'f32'>('f32', [0x90]),
  sqrt: unary<'f32', 'f32'>('f32', [0x91]),
  add: f32Binary(0x92),
  sub: f32Binary(0x93),
  mul: f32Binary(0x94),
  div: f32Binary(0x95),
  min: f32Binary(0x96),
  max: f32Binary(0x97),
  convertI32S: unary<'i32', 'f32'>('f32', [0xb2]),
  reinterpretI32: unary<'i32', 'f32'>('f32', [0xbe]),
};

export const v128: V128Instructions = {
  /** A constant from its 16 bytes. */
  const: (bytes: readonly number[]): Expr<'v128'> => ({
    type: 'v128',
    code: [vectorOp(12), bytes.map((byte) => byte & 0xff)],
  }),
  zero: (): Expr<'v128'> => v128.const(Array.from({ length: 16 }, () => 0)),
  load: load('v128', vectorOp(0), 4),
  load8Splat: load('v128', vectorOp(7), 0),
  load32Splat: load('v128', vectorOp(9), 2),
  load64Splat: load('v128', vectorOp(10), 3),
  load32Zero: load('v128', vectorOp(92), 2),
  load64Zero: load('v128', vectorOp(93), 3),
  store: store<'v128'>(vectorOp(11), 4),
  store8Lane: storeLane(88, 0),
  store32Lane: storeLane(90, 2),
  store64Lane: storeLane(91, 3),
  not: v1(77),
  and: v2(78),
  andnot: v2(79),
  or: v2(80),
  xor: v2(81),
  bitselect: v3(82),
  anyTrue: unary<'v128', 'i32'>('i32', vectorOp(83)),
};

export const i8x16: I8x16Instructions = {
  /** Lanes 0–15 name bytes of `a`, 16–31 bytes of `b`. */
  shuffle: (a: Expr<'v128'>, b: Expr<'v128'>, lanes: readonly number[]): Expr<'v128'> => ({
    type: 'v128',
    code: [a.code, b.code, SHUFFLE, lanes],
  }),
  splat: unary<'i32', 'v128'>('v128', vectorOp(15)),
  narrowI16x8S: v2(101),
  narrowI16x8U: v2(102),
  shl: shift(107),
  shrS: shift(108),
  shrU: shift(109),
  add: v2(110),
  sub: v2(113),
  minS: v2(118),
  maxS: v2(120),
  maxU: v2(121),
};

export const i16x8: I16x8Instructions = {
  load8x8S: load('v128', vectorOp(1), 3),
  load8x8U: load('v128', vectorOp(2), 3),
  splat: unary<'i32', 'v128'>('v128', vectorOp(16)),
  gtS: v2(49),
  extaddPairwiseI8x16S: v1(124),
  narrowI32x4S: v2(133),
  extendLowI8x16S: v1(135),
  extendHighI8x16S: v1(136),
  extendLowI8x16U: v1(137),
  extendHighI8x16U: v1(138),
  shl: shift(139),
  shrS: shift(140),
  shrU: shift(141),
  add: v2(142),
  sub: v2(145),
  mul: v2(149),
  /** `a` signed, `b` in 0…127 by the specification; see the modes of docs/architecture.md section 6. */
  relaxedDotI8x16I7x16S: v2(0x112),
};

export const i32x4: I32x4Instructions = {
  load16x4S: load('v128', vectorOp(3), 3),
  splat: unary<'i32', 'v128'>('v128', vectorOp(17)),
  extractLane: extract('i32', 27),
  eq: v2(55),
  ne: v2(56),
  ltS: v2(57),
  gtS: v2(59),
  extaddPairwiseI16x8S: v1(126),
  extendLowI16x8S: v1(167),
  extendHighI16x8S: v1(168),
  shl: shift(171),
  shrS: shift(172),
  add: v2(174),
  sub: v2(177),
  mul: v2(181),
  minS: v2(182),
  maxS: v2(184),
  dotI16x8S: v2(186),
  truncSatF32x4S: v1(248),
  /** `a` signed, `b` in 0…127 by the specification; see the modes of docs/architecture.md section 6. */
  relaxedDotI8x16I7x16AddS: v3(0x113),
};

export const f32x4: F32x4Instructions = {
  splat: unary<'f32', 'v128'>('v128', vectorOp(19)),
  extractLane: extract('f32', 31),
  lt: v2(67),
  gt: v2(68),
  le: v2(69),
  ge: v2(70),
  demoteF64x2Zero: v1(94),
  ceil: v1(103),
  floor: v1(104),
  nearest: v1(106),
  abs: v1(224),
  neg: v1(225),
  sqrt: v1(227),
  add: v2(228),
  sub: v2(229),
  mul: v2(230),
  div: v2(231),
  min: v2(232),
  max: v2(233),
  /** `b < a ? b : a`; one instruction on x86. */
  pmin: v2(234),
  /** `a < b ? b : a`; one instruction on x86. */
  pmax: v2(235),
  convertI32x4S: v1(250),
};

export const i64x2: I64x2Instructions = { sub: v2(209) };

export const f64x2: F64x2Instructions = {
  ne: v2(72),
  promoteLowF32x4: v1(95),
  nearest: v1(148),
  add: v2(240),
  sub: v2(241),
  mul: v2(242),
  /** `b < a ? b : a`. */
  pmin: v2(246),
  /** `a < b ? b : a`. */
  pmax: v2(247),
};

export const atomic: AtomicInstructions = {
  /** Number of threads woken. Allowed on memory that is not shared (wakes none). */
  notify: (address: Operand<'i32'>, count: Operand<'i32'>): Expr<'i32'> => ({
    type: 'i32',
    code: [operandCode(address), operandCode(count), PREFIX_ATOMIC, 0, 2, 0],
  }),
  /** Sleeps while the i32 at `address` equals `expected`; traps on memory that is not shared. */
  wait32: (
    address: Operand<'i32'>,
    expected: Operand<'i32'>,
    timeoutNanoseconds: Expr<'i64'>,
  ): Expr<'i32'> => ({
    type: 'i32',
    code: [operandCode(address), operandCode(expected), timeoutNanoseconds.code, PREFIX_ATOMIC, 1, 2, 0],
  }),
  load: load('i32', [PREFIX_ATOMIC, 0x10], 2),
  store: store<'i32'>([PREFIX_ATOMIC, 0x17], 2),
  /** Adds and returns the old value. */
  add: (address: Operand<'i32'>, value: Operand<'i32'>): Expr<'i32'> => ({
    type: 'i32',
    code: [operandCode(address), operandCode(value), PREFIX_ATOMIC, 0x1e, 2, 0],
  }),
};
