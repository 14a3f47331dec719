import {
  f32x4,
  i16x8,
  i32,
  i32x4,
  i8x16,
  select,
  v128,
  type Expr,
  type FunctionBuilder,
  type FunctionRef,
  type Local,
} from '../../../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';
import { emitNormalize } from './layer-norm.ts';
import {
  createRowRange,
  emitQuantizeRow,
  quantizedRowBytes,
  resetRowRange,
  widenRowRange,
  type ActivationQuantization,
} from './quantize-row.ts';
import { forEachEight, keepLanes, roundUp } from './vector-code.ts';

/**
 * An embedding table. Rows of float32 are padded to 8 columns, rows of int8 to 8 bytes, rows of int4 to 4 bytes (two
 * values a byte, the first in the low half); int8 and int4 rows stand for q · scale[row].
 */
export interface TableSpec {
  rows: number;
  storage: 'f32' | 'int8' | 'int4';
}

export interface EmbedLayerNormSpec {
  n: number;
  epsilon: number;
  word: TableSpec;
  tokenType?: TableSpec;
  position?: TableSpec;
  /** Row r takes position r, or RoBERTa's: id = padding ? padding : padding + number of other ids up to here. */
  positions: { kind: 'arange' } | { kind: 'offset-nonpad'; paddingIndex: number };
  yStride: number;
  quantization?: ActivationQuantization;
}

const PARAMS = {
  /** i32 per row. An id outside its table reads row 0. */
  ids: 'i32',
  /** i32 per row, when the spec has tokenType; else anything. */
  tokenTypes: 'i32',
  word: 'i32',
  wordScale: 'i32',
  tokenType: 'i32',
  tokenTypeScale: 'i32',
  position: 'i32',
  positionScale: 'i32',
  gamma: 'i32',
  beta: 'i32',
  y: 'i32',
  bytes: 'i32',
  rowScale: 'i32',
  rowZero: 'i32',
  m0: 'i32',
  m1: 'i32',
} as const;

/** Bytes of one row of a table. */
export function tableRowBytes(storage: TableSpec['storage'], n: number): number {
  return roundUp(n, 8) * { f32: 4, int8: 1, int4: 0.5 }[storage];
}

/** y = LayerNorm(((word[id] + tokenType[t]) + position[p])) for rows [m0, m1), quantized too if the spec says so. */
export function emitEmbedLayerNorm(
  library: KernelLibrary,
  spec: EmbedLayerNormSpec,
): FunctionRef<typeof PARAMS, undefined> {
  return library.once('embed layer norm', spec, (name) =>
    library.module.function(name, { params: PARAMS }, (f, p) => {
      const range = spec.quantization ? createRowRange(f) : undefined;
      const sums = [f.local('v128'), f.local('v128')] as const;
      const id = f.local('i32');
      const count = f.local('i32');
      const { positions } = spec;
      if (positions.kind === 'offset-nonpad') {
        // Ids before this range count too.
        const row = f.local('i32');
        f.whileBelow(row, p.m0, 1, () => {
          f.increment(count, i32.ne(i32.load(i32.add(p.ids, i32.shl(row, 2))), positions.paddingIndex));
        });
      }
      const y = f.let(i32.add(p.y, i32.mul(p.m0, 4 * spec.yStride)));
      f.increment(p.bytes, i32.mul(p.m0, quantizedRowBytes(spec.n)));
      f.increment(p.rowScale, i32.shl(p.m0, 2));
      f.increment(p.rowZero, i32.shl(p.m0, 2));
      f.whileBelow(p.m0, p.m1, 1, () => {
        f.set(id, i32.load(i32.add(p.ids, i32.shl(p.m0, 2))));
        const parts = [emitTableRow(f, spec.n, spec.word, p.word, p.wordScale, id)];
        if (spec.tokenType) {
          const type = i32.load(i32.add(p.tokenTypes, i32.shl(p.m0, 2)));
          parts.push(emitTableRow(f, spec.n, spec.tokenType, p.tokenType, p.tokenTypeScale, type));
        }
        if (spec.position) {
          const position = f.let(p.m0);
          if (positions.kind === 'offset-nonpad') {
            const isWord = i32.ne(id, positions.paddingIndex);
            f.increment(count, isWord);
            f.set(position, i32.add(i32.mul(count, isWord), positions.paddingIndex));
          }
          parts.push(emitTableRow(f, spec.n, spec.position, p.position, p.positionScale, position));
        }
        for (const sum of sums) f.set(sum, v128.zero());
        forEachEight(f, spec.n, (at, valid) => {
          for (const half of [0, 1] as const) {
            if (half * 4 >= valid) continue;
            const value = f.let(parts.map((part) => part(at, half)).reduce((a, b) => f32x4.add(a, b)));
            f.do(v128.store(at(y), value, 16 * half));
            f.set(sums[half], f32x4.add(sums[half], keepLanes(value, valid - 4 * half)));
          }
        });
        if (range) resetRowRange(f, range);
        emitNormalize(f, spec, { ...p, x: y, y }, sums, (half, normalized) => {
          if (range) widenRowRange(f, range, half, normalized);
        });
        if (spec.quantization) emitQuantizeRow(library, f, spec.n, spec.quantization, { ...p, x: y }, range);
        f.increment(y, 4 * spec.yStride);
        f.increment(p.bytes, quantizedRowBytes(spec.n));
        f.increment(p.rowScale, 4);
        f.increment(p.rowZero, 4);
      });
    }),
  );
}

type At = (pointer: Expr<'i32'>) => Expr<'i32'>;

/**
 * Finds a row of a table. The result gives half a step of eight columns as floats: `at(pointer)` is the pointer moved
 * by four bytes per column that lies behind (see forEachEight).
 */
function emitTableRow(
  f: FunctionBuilder,
  n: number,
  { rows, storage }: TableSpec,
  table: Local<'i32'>,
  scales: Local<'i32'>,
  wanted: Expr<'i32'>,
): (at: At, half: 0 | 1) => Expr<'v128'> {
  const index = f.let(wanted);
  f.set(index, select(index, i32.const(0), i32.ltU(index, rows)));
  const row = f.let(i32.add(table, i32.mul(index, tableRowBytes(storage, n))));
  if (storage === 'f32') return (at, half) => v128.load(at(row), 16 * half);

  const scale = f.let(v128.load32Splat(i32.add(scales, i32.shl(index, 2))));
  const zero = i32.const(0);
  const scaled = (values: Expr<'v128'>): Expr<'v128'> => f32x4.mul(f32x4.convertI32x4S(values), scale);
  if (storage === 'int8') {
    return (at, half) => {
      const eight = i16x8.load8x8S(i32.add(row, i32.shrU(at(zero), 2)));
      return scaled(half === 0 ? i32x4.extendLowI16x8S(eight) : i32x4.extendHighI16x8S(eight));
    };
  }
  return (at, half) => {
    // Four bytes b: values (b << 4) >> 4 and b >> 4, signed, interleaved.
    const bytes = f.let(v128.load32Zero(i32.add(row, i32.shrU(at(zero), 3))));
    const even = i8x16.shrS(i8x16.shl(bytes, 4), 4);
    const values = f.let(i16x8.extendLowI8x16S(i8x16.shuffle(even, i8x16.shrS(bytes, 4), INTERLEAVED)));
    return scaled(half === 0 ? i32x4.extendLowI16x8S(values) : i32x4.extendHighI16x8S(values));
  };
}

const INTERLEAVED = [0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23];
