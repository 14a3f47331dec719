import { seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { int8PanelBytes, packInt8 } from './pack-int8.ts';
import { pairFlagWords } from './pair-flags.ts';

function pack(values: Int8Array, k: number, n: number) {
  const panels = new Int8Array(int8PanelBytes(k, n)).fill(99);
  return { panels, ...packInt8(values, k, n, panels) };
}

function pairFlags(values: number[], k: number, n: number): number[] {
  return [...pack(Int8Array.from(values), k, n).pairFlags];
}

/** The definitions, written down. */
function naive(values: Int8Array, k: number, n: number): ReturnType<typeof pack> {
  const at = (row: number, column: number): number => (row < k && column < n ? values[row * n + column]! : 0);
  const depth = Math.ceil(k / 4) * 4;
  const columns = Math.ceil(n / 8) * 8;
  const panels = Int8Array.from({ length: depth * columns }, (_, i) => {
    const [inPanel, step] = [i % (depth * 8), Math.floor((i % (depth * 8)) / 32)];
    return at(step * 4 + (inPanel % 4), Math.floor(i / (depth * 8)) * 8 + Math.floor((inPanel % 32) / 4));
  });
  const rows = Array.from({ length: depth }, (_, row) => row);
  const columnSums = Int32Array.from({ length: columns }, (_, column) =>
    rows.reduce((sum, row) => sum + at(row, column), 0),
  );
  const fits = (panel: number, pair: number): boolean =>
    Array.from(
      { length: 16 },
      (_, lane) => [panel * 8 + (lane >> 1), pair * 8 + (lane & 1) * 2] as const,
    ).every(([column, row]) => {
      const weights = [0, 1, 4, 5].map((offset) => at(row + offset, column));
      const sum = (sign: 1 | -1): number =>
        255 * weights.filter((weight) => weight * sign > 0).reduce((total, weight) => total + weight, 0);
      return sum(1) <= 32767 && sum(-1) >= -32768;
    });
  const words = pairFlagWords(k);
  const pairs = Math.floor(depth / 8);
  const flags = Uint32Array.from({ length: (words * columns) / 8 }, (_, i) => {
    const from = (i % words) * 31;
    const count = Math.min(31, pairs - from);
    const bits = Array.from({ length: count }, (__, bit) =>
      fits(Math.floor(i / words), from + bit) ? 2 ** bit : 0,
    );
    return bits.reduce((word, bit) => word + bit, 2 ** count);
  });
  return { panels, columnSums, pairFlags: flags };
}

describe('packInt8', () => {
  it.each([
    [1, 1, 1],
    [2, 7, 8],
    [3, 8, 9],
    [4, 251, 30],
    [5, 248, 40],
    [6, 530, 3],
    [7, 2, 1000],
  ])('is the definition (seed %i, %i by %i)', (seed, k, n) => {
    const random = seededRandom(seed);
    const values = Int8Array.from(random.normal(k * n, 0, 18), (value) =>
      Math.max(-64, Math.min(63, Math.round(value))),
    );
    expect(pack(values, k, n)).toEqual(naive(values, k, n));
  });

  it('takes 8-bit values to both ends', () => {
    const values = Int8Array.from({ length: 12 * 9 }, (_, i) => [127, -128, 0, 5][i % 4]!);
    const { panels, columnSums } = naive(values, 12, 9);
    expect(pack(values, 12, 9)).toMatchObject({ panels, columnSums });
  });

  it('packs a weight of several strips like its parts', () => {
    const [k, n] = [4096, 1100]; // 4.5 MB
    const values = Int8Array.from({ length: k * n }, (_, i) => ((i * 7919) % 127) - 63);
    const whole = pack(values, k, n);
    const right = Int8Array.from(
      { length: k * 100 },
      (_, i) => values[Math.floor(i / 100) * n + 1000 + (i % 100)]!,
    );
    const part = pack(right, k, 100);
    expect(whole.panels.subarray(k * 1000).every((value, i) => value === part.panels[i])).toBe(true);
    expect(whole.columnSums.subarray(1000)).toEqual(part.columnSums);
    expect(whole.pairFlags.subarray(125 * pairFlagWords(k))).toEqual(part.pairFlags);
  });
});

describe('pair flags', () => {
  it('are set as long as 255 times the sum of a lane fits into an i16', () => {
    // Rows 0, 1, 4, 5 are one lane; 255·128 fits, 255·129 does not, and neither does 255·-129.
    expect(pairFlags([32, 32, 0, 0, 32, 32, 0, 0], 8, 1)).toEqual([0b11]);
    expect(pairFlags([32, 32, 0, 0, 32, 33, 0, 0], 8, 1)).toEqual([0b10]);
    expect(pairFlags([-64, -64, 63, 63, -1, 40, 2, 0], 8, 1)).toEqual([0b10]);
    expect(pairFlags([-64, -64, 63, 63, 40, 40, 2, -64], 8, 1)).toEqual([0b11]);
  });

  it('end each word of a panel with a bit above its last flag; steps without partner have none', () => {
    const k = 8 * 33 + 4;
    expect(pairFlagWords(k)).toBe(2);
    expect([...pack(new Int8Array(k * 9), k, 9).pairFlags]).toEqual([0xffffffff, 0b111, 0xffffffff, 0b111]);
    expect(pack(new Int8Array(4), 4, 1).pairFlags).toHaveLength(0);
  });
});
