import { seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { float32Tensor } from '../../ir/index.ts';
import { quantizeColumns } from './quantize-columns.ts';
import { int4Grid, quantizeColumnsInt4, type Int4ColumnQuantization } from './quantize-columns-int4.ts';
import { WEIGHT_GRIDS } from '../grids/integer-grid.ts';
import { packInt4, unpackInt4 } from './pack-int4.ts';

/** One scale per column that clips nothing, nearest grid point: written down from the definition. */
function naive(weight: Float32Array, rows: number, columns: number, bits: 7 | 8): number[] {
  const { low, high } = WEIGHT_GRIDS[bits];
  const values: number[] = Array.from({ length: rows * columns }, () => 0);
  for (let n = 0; n < columns; n++) {
    const column = Array.from({ length: rows }, (_, k) => weight[k * columns + n]!);
    const scale = Math.fround(Math.max(Math.max(...column, 0) / high, Math.min(...column, 0) / low)) || 1;
    for (const [k, w] of column.entries()) {
      const floor = Math.floor(w / scale);
      const fraction = w / scale - floor;
      const up = fraction > 0.5 || (fraction === 0.5 && floor % 2 !== 0);
      values[k * columns + n] = Math.min(high, Math.max(low, up ? floor + 1 : floor));
    }
  }
  return values;
}

function sqnrDb(weight: Float32Array, restored: (i: number) => number): number {
  const noise = weight.reduce((sum, w, i) => sum + (w - restored(i)) ** 2, 0);
  return 10 * Math.log10(weight.reduce((sum, w) => sum + w * w, 0) / noise);
}

/** Normal weights with a few rows ten times larger, as in trained encoders. */
function outlierWeights(seed: number, rows: number, columns: number): Float32Array {
  const random = seededRandom(seed);
  const loud = new Set([random.int(0, rows - 1), random.int(0, rows - 1)]);
  return random.normal(rows * columns).map((w, i) => (loud.has(Math.floor(i / columns)) ? 10 * w : w));
}

describe('quantizeColumns', () => {
  it('gives the golden case', () => {
    const weight = Float32Array.of(6.3, -1.27, 0, -6.4, 0.635, 0, 0.25, 0, 0);
    const seven = quantizeColumns(float32Tensor([3, 3], weight), { bits: 7, range: 'max' });
    expect([...seven.values]).toEqual([63, -64, 0, -64, 32, 0, 2, 0, 0]);
    expect([...seven.scale]).toEqual([Math.fround(0.1), Math.fround(1.27 / 64), 1].map(Math.fround));
    const eight = quantizeColumns(float32Tensor([3, 3], weight), { bits: 8, range: 'max' });
    expect([...eight.values]).toEqual([125, -127, 0, -127, 64, 0, 5, 0, 0]);
  });

  it.each([1, 2, 3, 4, 5, 6])('is the definition on random shapes (seed %i)', (seed) => {
    const random = seededRandom(seed);
    const [rows, columns] = [random.int(1, 70), random.int(1, 40)];
    const weight = random.normal(rows * columns);
    for (const bits of [7, 8] as const) {
      const { values, error, scale } = quantizeColumns(float32Tensor([rows, columns], weight), {
        bits,
        range: 'max',
      });
      expect([...values]).toEqual(naive(weight, rows, columns, bits));
      expect(error.sqnrDb).toBeCloseTo(
        sqnrDb(weight, (i) => values[i]! * scale[i % columns]!),
        6,
      );
      expect(error.clippedShare).toBeLessThan(0.02);
    }
  });

  it.each([11, 12, 13])('mse gains on long columns of normal weights by clipping (seed %i)', (seed) => {
    const random = seededRandom(seed);
    const weight = random.normal(4096 * 4);
    const max = quantizeColumns(float32Tensor([4096, 4], weight), { bits: 7, range: 'max' });
    const mse = quantizeColumns(float32Tensor([4096, 4], weight), { bits: 7, range: 'mse' });
    expect(mse.error.sqnrDb).toBeGreaterThan(max.error.sqnrDb + 0.1);
    expect(mse.error.clippedShare).toBeGreaterThan(0);
  });

  it('importance moves the error to rows that do not matter', () => {
    const weight = outlierWeights(3, 64, 8);
    const loudest = weight.findIndex((w) => Math.abs(w) > 8);
    const importance = new Float32Array(64).fill(1);
    importance[Math.floor(loudest / 8)] = 1e4;
    const error = ({ data, multiplier, scale }: Int4ColumnQuantization): number => {
      const [row, column] = [Math.floor(loudest / 8), loudest % 8];
      const step = multiplier[(row >> 5) * 8 + column]! * scale[column]!;
      return Math.abs(weight[loudest]! - unpackInt4(data, 64 * 8)[loudest]! * step);
    };
    const alike = quantizeColumnsInt4(weight, 64, 8, INT4);
    const weighted = quantizeColumnsInt4(weight, 64, 8, { ...INT4, importance });
    expect(error(weighted)).toBeLessThan(error(alike));
    expect(weighted.error.sqnrDb).toBeLessThan(alike.error.sqnrDb);
  });

  it('leaves zeros, tiny numbers and NaN to the caller without hanging', () => {
    const zero = quantizeColumns(float32Tensor([3, 2], new Float32Array(6)), { bits: 8, range: 'mse' });
    expect({ ...zero, error: zero.error.sqnrDb }).toEqual({
      values: new Int8Array(6),
      scale: Float32Array.of(1, 1),
      error: Infinity,
    });
    expect(
      quantizeColumns(float32Tensor([2, 1], Float32Array.of(1e-40, -1e-42)), { bits: 8, range: 'mse' })
        .values,
    ).toEqual(new Int8Array(2));
    for (const bad of [NaN, Infinity]) {
      const weight = Float32Array.of(1, bad, 2, 3);
      expect(
        quantizeColumns(float32Tensor([2, 2], weight), { bits: 8, range: 'mse' }).error.sqnrDb,
      ).toBeNaN();
      expect(quantizeColumnsInt4(weight, 2, 2, INT4).error.sqnrDb).toBeNaN();
    }
  });
});

const INT4 = { weightBits: 4, computeBits: 7 } as const;

describe('quantizeColumnsInt4', () => {
  it.each([
    [4, 7],
    [4, 8],
    [3, 7],
    [3, 8],
  ] as const)('%i bits stay on the %i-bit compute grid', (weightBits, computeBits) => {
    const [rows, columns] = [101, 13];
    const weight = outlierWeights(5, rows, columns);
    const bits = { weightBits, computeBits };
    const { data, multiplier, scale, error } = quantizeColumnsInt4(weight, rows, columns, bits);
    const values = unpackInt4(data, rows * columns);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(WEIGHT_GRIDS[weightBits].low);
    expect(Math.max(...values)).toBeLessThanOrEqual(WEIGHT_GRIDS[weightBits].high);
    const { low, high } = WEIGHT_GRIDS[computeBits];
    const effective = Array.from(
      values,
      (q, i) => q * multiplier[Math.floor(i / columns / 32) * columns + (i % columns)]!,
    );
    expect(Math.min(...effective)).toBeGreaterThanOrEqual(low);
    expect(Math.max(...effective)).toBeLessThanOrEqual(high);
    expect(multiplier).toHaveLength(4 * columns);
    expect([Math.min(...multiplier) >= 1, Math.max(...multiplier) <= 15]).toEqual([true, true]);
    expect(error.sqnrDb).toBeCloseTo(
      sqnrDb(weight, (i) => effective[i]! * scale[i % columns]!),
      6,
    );
  });

  it.each([
    [4, 8],
    [3, 15],
  ] as const)('%i bits reproduce weights that are on their grid', (weightBits, most) => {
    const { low, high } = WEIGHT_GRIDS[weightBits];
    const small = Array.from({ length: 64 }, (_, k) => (k % (high - low + 1)) + low);
    const weight = Float32Array.from(small, (q, k) => q * (k < 32 ? most : 5) * 0.25);
    const bits = { weightBits, computeBits: 7 } as const;
    const { data, multiplier, scale, error } = quantizeColumnsInt4(weight, 64, 1, bits);
    expect(error).toEqual({ sqnrDb: Infinity, clippedShare: 0 });
    expect([...unpackInt4(data, 64)]).toEqual(small);
    expect([...multiplier].map((m) => m * scale[0]!)).toEqual([most / 4, 1.25]);
  });

  it.each([
    ['normal', 7, 0.4],
    ['normal', 8, 0.2],
    ['outliers', 7, 1],
    ['outliers', 8, 0.6],
  ] as const)('%s weights, %i bits: within %f dB of float block scales', (kind, computeBits, limit) => {
    const [rows, columns] = [256, 48];
    const weight =
      kind === 'normal' ? seededRandom(9).normal(rows * columns) : outlierWeights(9, rows, columns);
    const { error } = quantizeColumnsInt4(weight, rows, columns, { ...INT4, computeBits });
    expect(error.sqnrDb).toBeGreaterThan(floatBlockSqnr(weight, rows, columns) - limit);
  });

  it('packs like ONNX', () => {
    expect([...packInt4(Int8Array.of(1, -2, 7, -8, -1))]).toEqual([0xe1, 0x87, 0x0f]);
    expect([...unpackInt4(Uint8Array.of(0xe1, 0x87, 0x0f), 5)]).toEqual([1, -2, 7, -8, -1]);
    expect(int4Grid(9, INT4)).toEqual({ low: -7, high: 7 });
    expect(int4Grid(8, INT4)).toEqual({ low: -8, high: 7 });
    expect(int4Grid(15, { ...INT4, computeBits: 8 })).toEqual({ low: -8, high: 7 });
    expect(int4Grid(15, { ...INT4, weightBits: 3 })).toEqual({ low: -4, high: 3 });
  });
});

/** Plain int4 in blocks of 32 with one float scale each, the best of 40 tried per block: the ceiling to compare with. */
function floatBlockSqnr(weight: Float32Array, rows: number, columns: number): number {
  let [signal, noise] = [0, 0];
  for (let n = 0; n < columns; n++) {
    for (let k = 0; k < rows; k += 32) {
      const block = Array.from({ length: Math.min(32, rows - k) }, (_, i) => weight[(k + i) * columns + n]!);
      const full = Math.max(...block.map((w) => (w > 0 ? w / 7 : -w / 8)));
      const errors = Array.from({ length: 40 }, (_, i) => {
        const step = full * (1.1 - i * 0.015);
        return block.reduce(
          (sum, w) => sum + (w - step * Math.min(7, Math.max(-8, Math.round(w / step)))) ** 2,
          0,
        );
      });
      signal += block.reduce((sum, w) => sum + w * w, 0);
      noise += Math.min(...errors);
    }
  }
  return 10 * Math.log10(signal / noise);
}
