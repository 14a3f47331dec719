import { seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { CoMoments } from './co-moments.ts';
import { LARGEST_INTEGER, LARGEST_SQUARES } from './kernels/rounded-product-kernel.ts';

const { fround } = Math;

interface Moments {
  readonly means: number[];
  /** [width, width], the upper triangle. */
  readonly products: number[];
}

/** What batches of rows come to, by loops over single numbers. */
function reference(batches: readonly Float32Array[], width: number): Moments {
  const features = Array.from({ length: width }, (_, i) => i);
  const means = features.map(() => 0);
  const products = features.flatMap(() => features.map(() => 0));
  let total = 0;
  for (const rows of batches) {
    const count = rows.length / width;
    const before = total;
    total += count;
    const columns = features.map((i) => rows.filter((_, at) => at % width === i));
    const batchMeans = columns.map((column) => column.reduce((sum, x) => sum + x, 0) / count);
    const shifts = batchMeans.map((mean, i) =>
      fround((mean - means[i]!) * Math.sqrt(before * (count / total))),
    );
    batchMeans.forEach((mean, i) => (means[i]! += (mean - means[i]!) * (count / total)));
    const deviations = columns.map((column, i) => column.map((x) => x - fround(batchMeans[i]!)));
    const units = deviations.map(unitOf);
    const integers = deviations.map((column, i) =>
      [...column].map((d) => (units[i] === 0 ? 0 : rint(d / units[i]!))),
    );
    for (const i of features) {
      for (const j of features.slice(i)) {
        const sum = integers[i]!.reduce((subtotal, q, row) => subtotal + q * integers[j]![row]!, 0);
        const product = fround(fround(sum) * fround(units[i]! * units[j]!));
        const added = fround(product + fround(shifts[i]! * shifts[j]!));
        products[i * width + j] = fround(products[i * width + j]! + added);
      }
    }
  }
  return { means, products };
}

/** The least power of two for which the integers are small enough; 0 for zeros. */
function unitOf(column: Float32Array): number {
  const largest = column.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const squares = column.reduce((sum, x) => fround(sum + fround(x * x)), 0);
  const factor = Math.min(
    fround(LARGEST_INTEGER / largest),
    fround(Math.sqrt(fround(LARGEST_SQUARES / squares))),
  );
  return 2 ** -Math.floor(Math.log2(factor));
}

/** To the nearest integer, halves to the even one. */
function rint(x: number): number {
  const floor = Math.floor(x);
  return x - floor === 0.5 ? floor + (floor & 1) : Math.round(x);
}

function found(moments: CoMoments): Moments {
  const features = Array.from({ length: moments.width }, (_, i) => i);
  return {
    means: features.map((i) => moments.mean(i)),
    products: features.flatMap((i) => features.map((j) => (j < i ? 0 : moments.product(i, j)))),
  };
}

/** Largest error of the products, as a part of √(Σ dᵢ²·Σ dⱼ²) in float64. */
function worstError(moments: CoMoments, rows: Float32Array): number {
  const { width } = moments;
  const means = Array.from({ length: width }, () => 0);
  rows.forEach((x, at) => (means[at % width]! += (x * width) / rows.length));
  const exact = (i: number, j: number): number => {
    let sum = 0;
    for (let at = 0; at < rows.length; at += width)
      sum += (rows[at + i]! - means[i]!) * (rows[at + j]! - means[j]!);
    return sum;
  };
  const norms = means.map((_, i) => Math.sqrt(exact(i, i)));
  let worst = 0;
  for (let i = 0; i < width; i++)
    for (let j = i; j < width; j++)
      worst = Math.max(worst, Math.abs(moments.product(i, j) - exact(i, j)) / (norms[i]! * norms[j]!));
  return worst;
}

describe('CoMoments', () => {
  it.each([
    { width: 1, lengths: [1, 4] },
    { width: 7, lengths: [3, 2] },
    { width: 24, lengths: [256, 1, 7] },
    { width: 400, lengths: [6, 5] },
  ])('are bit for bit those of the loops: width $width', ({ width, lengths }) => {
    const random = seededRandom(width);
    const batches = lengths.map((length) => random.normal(length * width, 0.3, 2));
    for (const rows of batches) {
      // Features of all sizes; of more than two, one that never varies and one with an outlier.
      for (let at = 0; at < rows.length; at++) rows[at]! *= 10 ** (((at % width) % 9) - 4);
      if (width > 2) for (let at = 1; at < rows.length; at += width) rows[at] = 0.7;
      if (width > 2) rows[2] = 1e4;
    }
    const moments = new CoMoments(width);
    for (const rows of batches) moments.add(rows);
    expect(found(moments)).toEqual(reference(batches, width));
    expect(moments.count).toBe(lengths.reduce((a, b) => a + b));
  });

  it('do not overflow where all deviations are the largest', () => {
    const [count, width] = [256, 9];
    const rows = Float32Array.from({ length: count * width }, (_, at) =>
      at < (count * width) / 2 ? -3.999 : 3.999,
    );
    const moments = new CoMoments(width);
    moments.add(rows);
    expect(worstError(moments, rows)).toBeLessThan(2 * Math.sqrt(count) * 2 ** -15);
    expect(moments.product(0, 8)).toBe(moments.product(8, 8));
  });

  it.each([
    ['even', 1, 0],
    ['spiky', 5, 0],
    ['far from 0', 1, 1000],
  ])('are off by no more than they say, and less where numbers vary: %s', (_, power, mean) => {
    const [count, width] = [64, 40];
    const random = seededRandom(power);
    const rows = random.normal(2 * count * width).map((value) => value ** power + mean);
    const moments = new CoMoments(width);
    moments.add(rows.subarray(0, count * width));
    moments.add(rows.subarray(count * width));
    const worst = worstError(moments, rows);
    expect(worst).toBeLessThan(2 * Math.sqrt(count) * 2 ** -15);
    expect(worst).toBeLessThan(1e-4);
  });
});
