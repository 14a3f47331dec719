import {
  f32x4,
  f64x2,
  i32,
  i64x2,
  ModuleBuilder,
  transposeVectors,
  v128,
  type Expr,
  type FunctionBuilder,
  type Local,
  type MemoryLimits,
} from '../../../wasm/index.ts';

/** Spans that lie side by side in a panel: element i of span s is number 16·i + s. */
export const PANEL_SPANS = 16;

/** Scales that one pass over a span tries. */
export const TRIALS = 3;

/** Fixed addresses of what the kernels are given and what they find, a number per span each. */
export const PLACES: Readonly<
  Record<'grid' | 'inverses' | 'sums' | 'lows' | 'highs' | 'signal' | 'noise' | 'clipped' | 'end', number>
> = {
  /** Two float64: the ends of the grid. */
  grid: 0,
  /** float64 [TRIALS][16]. */
  inverses: slot(0),
  sums: slot(TRIALS),
  /** float32 [16]. */
  lows: slot(2 * TRIALS),
  highs: slot(2 * TRIALS + 0.5),
  /** float64 [16]. */
  signal: slot(2 * TRIALS + 1),
  noise: slot(2 * TRIALS + 2),
  /** int64 [16]. */
  clipped: slot(2 * TRIALS + 3),
  end: slot(2 * TRIALS + 4),
};

/** Places of sixteen 8-byte numbers. */
function slot(index: number): number {
  return 16 + 8 * PANEL_SPANS * index;
}

/** The exports of the module. Addresses and strides are in bytes; `end` is behind the last row of the panel. */
export interface SpanKernels {
  readonly extents: (panel: number, end: number) => void;
  readonly sumErrors: (panel: number, end: number, pair: number) => void;
  readonly roundPair: (panel: number, end: number, integers: number, pair: number) => void;
  readonly loadColumns: (panel: number, end: number, from: number, stride: number) => void;
  readonly storeColumns: (integers: number, end: number, to: number, stride: number) => void;
  readonly loadRows: (panel: number, end: number, from: number, stride: number) => void;
  readonly storeRows: (integers: number, end: number, to: number, stride: number) => void;
}

/** Bytes from one row of a panel to the next: of floats and of integers. */
const FLOAT_ROW = 4 * PANEL_SPANS;
const INTEGER_ROW = PANEL_SPANS;

/** The int64 whose low byte is the integer q, as the bits of the float64 q + 1.5·2^52. */
const INTEGER_BITS = float64Bytes(1.5 * 2 ** 52);

/**
 * The module behind `SpanPanel`, for a memory `env.memory`. Sums are taken in float64 in the order of the elements, two
 * spans in the lanes of a vector.
 */
export function spanKernelsModule(memory: MemoryLimits): Uint8Array<ArrayBuffer> {
  const m = new ModuleBuilder();
  m.importMemory('env', 'memory', memory);
  emitExtents(m);
  emitSumErrors(m);
  emitRoundPair(m);
  emitLoadColumns(m);
  emitStoreColumns(m);
  emitLoadRows(m);
  emitStoreRows(m);
  return m.finish();
}

/** Least and largest element of each span, or 0. NaN does not count. */
function emitExtents(m: ModuleBuilder): void {
  const params = { panel: 'i32', end: 'i32' } as const;
  m.function('extents', { params, export: 'extents' }, (f, { panel, end }) => {
    const quarters = [0, 1, 2, 3].map((quarter) => ({
      offset: 16 * quarter,
      low: f.local('v128'),
      high: f.local('v128'),
    }));
    const values = f.local('v128');
    f.whileBelow(panel, end, FLOAT_ROW, () => {
      for (const { offset, low, high } of quarters) {
        f.set(values, v128.load(panel, offset));
        f.set(low, f32x4.pmin(low, values));
        f.set(high, f32x4.pmax(high, values));
      }
    });
    for (const { offset, low, high } of quarters) {
      f.do(
        v128.store(i32.const(PLACES.lows), low, offset),
        v128.store(i32.const(PLACES.highs), high, offset),
      );
    }
  });
}

/** Σ (x·inverse − q)² with q the nearest integer of the grid, for a pair of spans and each inverse. */
function emitSumErrors(m: ModuleBuilder): void {
  const params = { panel: 'i32', end: 'i32', pair: 'i32' } as const;
  m.function('sum errors', { params, export: 'sumErrors' }, (f, { panel, end, pair }) => {
    const at = f.let(i32.shl(pair, 4));
    const trials = Array.from({ length: TRIALS }, (_, trial) => ({
      trial,
      inverse: f.let(v128.load(at, PLACES.inverses + 128 * trial)),
      sum: f.local('v128'),
    }));
    const [low, high] = letGrid(f);
    const values = f.local('v128');
    const exact = f.local('v128');
    const difference = f.local('v128');
    f.increment(panel, i32.shl(pair, 3));
    f.whileBelow(panel, end, FLOAT_ROW, () => {
      f.set(values, loadPair(panel));
      for (const { inverse, sum } of trials) {
        f.set(exact, f64x2.mul(values, inverse));
        f.set(difference, f64x2.sub(exact, clamp(f64x2.nearest(exact), low, high)));
        f.set(sum, f64x2.add(sum, f64x2.mul(difference, difference)));
      }
    });
    for (const { trial, sum } of trials) f.do(v128.store(at, sum, PLACES.sums + 128 * trial));
  });
}

/** The nearest integers of the grid for a pair of spans and its first inverse, and what that loses. */
function emitRoundPair(m: ModuleBuilder): void {
  const params = { panel: 'i32', end: 'i32', integers: 'i32', pair: 'i32' } as const;
  m.function('round pair', { params, export: 'roundPair' }, (f, { panel, end, integers, pair }) => {
    const at = f.let(i32.shl(pair, 4));
    const inverse = f.let(v128.load(at, PLACES.inverses));
    const [low, high] = letGrid(f);
    const toBits = f.let(v128.const(INTEGER_BITS.concat(INTEGER_BITS)));
    const signal = f.local('v128');
    const noise = f.local('v128');
    const clipped = f.local('v128');
    const exact = f.local('v128');
    const nearest = f.local('v128');
    const integer = f.local('v128');
    f.increment(panel, i32.shl(pair, 3));
    f.increment(integers, i32.shl(pair, 1));
    f.whileBelow(panel, end, FLOAT_ROW, () => {
      f.set(exact, f64x2.mul(loadPair(panel), inverse));
      f.set(nearest, f64x2.nearest(exact));
      f.set(integer, clamp(nearest, low, high));
      f.set(clipped, i64x2.sub(clipped, f64x2.ne(nearest, integer))); // true is −1
      f.set(signal, f64x2.add(signal, f64x2.mul(exact, exact)));
      f.set(exact, f64x2.sub(exact, integer));
      f.set(noise, f64x2.add(noise, f64x2.mul(exact, exact)));
      f.set(integer, f64x2.add(integer, toBits));
      f.do(v128.store8Lane(integers, integer, 0), v128.store8Lane(integers, integer, 8, 1));
      f.increment(integers, INTEGER_ROW);
    });
    f.do(
      v128.store(at, signal, PLACES.signal),
      v128.store(at, noise, PLACES.noise),
      v128.store(at, clipped, PLACES.clipped),
    );
  });
}

/** Sixteen neighbouring columns of a row-major matrix become a panel. */
function emitLoadColumns(m: ModuleBuilder): void {
  const params = { panel: 'i32', end: 'i32', from: 'i32', stride: 'i32' } as const;
  m.function('load columns', { params, export: 'loadColumns' }, (f, { panel, end, from, stride }) => {
    f.whileBelow(panel, end, FLOAT_ROW, () => {
      for (let offset = 0; offset < FLOAT_ROW; offset += 16)
        f.do(v128.store(panel, v128.load(from, offset), offset));
      f.increment(from, stride);
    });
  });
}

/** The panel's integers become sixteen columns of a row-major matrix. */
function emitStoreColumns(m: ModuleBuilder): void {
  const params = { integers: 'i32', end: 'i32', to: 'i32', stride: 'i32' } as const;
  m.function('store columns', { params, export: 'storeColumns' }, (f, { integers, end, to, stride }) => {
    f.whileBelow(integers, end, INTEGER_ROW, () => {
      f.do(v128.store(to, v128.load(integers)));
      f.increment(to, stride);
    });
  });
}

/** Sixteen rows become a panel, four rows and four columns at a time. */
function emitLoadRows(m: ModuleBuilder): void {
  const params = { panel: 'i32', end: 'i32', from: 'i32', stride: 'i32' } as const;
  m.function('load rows', { params, export: 'loadRows' }, (f, { panel, end, from, stride }) => {
    const to = f.local('i32');
    const rows = Array.from({ length: 4 }, () => f.local('i32'));
    for (let first = 0; first < PANEL_SPANS; first += 4) {
      for (const [row, address] of rows.entries())
        f.set(address, i32.add(from, i32.mul(stride, first + row)));
      f.set(to, panel);
      f.whileBelow(to, end, 4 * FLOAT_ROW, () => {
        const loaded = rows.map((address) => f.let(v128.load(address)));
        transposeVectors(f, loaded).forEach((column, index) =>
          f.do(v128.store(to, column, index * FLOAT_ROW + 4 * first)),
        );
        for (const address of rows) f.increment(address, 16);
      });
    }
  });
}

/** The panel's integers become sixteen rows, sixteen columns at a time. */
function emitStoreRows(m: ModuleBuilder): void {
  const params = { integers: 'i32', end: 'i32', to: 'i32', stride: 'i32' } as const;
  m.function('store rows', { params, export: 'storeRows' }, (f, { integers, end, to, stride }) => {
    const row = f.local('i32');
    f.whileBelow(integers, end, PANEL_SPANS * INTEGER_ROW, () => {
      const columns = Array.from({ length: PANEL_SPANS }, (_, index) =>
        f.let(v128.load(integers, index * INTEGER_ROW)),
      );
      f.set(row, to);
      for (const vector of transposeVectors(f, columns)) {
        f.do(v128.store(row, vector));
        f.increment(row, stride);
      }
      f.increment(to, PANEL_SPANS);
    });
  });
}

/** The next elements of a pair of spans. */
function loadPair(panel: Local<'i32'>): Expr<'v128'> {
  return f64x2.promoteLowF32x4(v128.load64Zero(panel));
}

function letGrid(f: FunctionBuilder): [Local<'v128'>, Local<'v128'>] {
  const end = (offset: number): Local<'v128'> => f.let(v128.load64Splat(i32.const(PLACES.grid), offset));
  return [end(0), end(8)];
}

function clamp(value: Expr<'v128'>, low: Local<'v128'>, high: Local<'v128'>): Expr<'v128'> {
  return f64x2.pmax(f64x2.pmin(value, high), low);
}

function float64Bytes(value: number): number[] {
  return [...new Uint8Array(Float64Array.of(value).buffer)];
}
