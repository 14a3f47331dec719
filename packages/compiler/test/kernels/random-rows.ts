import type { SeededRandom } from '../../../test-utils/src/seeded-random.ts';
import type { ActivationQuantization } from '../../src/targets/edge/kernels/index.ts';

// Rows of floats for the cases of kernels over rows.

export const ROWS = [1, 2, 5, 6, 7, 8, 13, 31];
export const padded = (columns: number): number => Math.ceil(columns / 8) * 8;

/** Values whose magnitudes differ between rows, with a few outliers. */
export function activations(random: SeededRandom, rows: number, columns: number): Float32Array {
  const x = random.normal(rows * columns, 0.3, 2);
  for (let row = 0; row < rows; row++) {
    const factor = random.pick([0.01, 1, 1, 30]);
    for (let column = 0; column < columns; column++) x[row * columns + column]! *= factor;
  }
  return x;
}

/** Rows [m0, m1) in two calls, as threads share them out; a single row in one. */
export function rowRanges(rows: number): [number, number][] {
  const middle = Math.floor(rows / 3);
  return middle === 0
    ? [[0, rows]]
    : [
        [0, middle],
        [middle, rows],
      ];
}

export const QUANTIZATIONS: ActivationQuantization[] = [
  { kind: 'dynamic' },
  { kind: 'static', scale: 0.037, zeroPoint: 101 },
];

export function paddedTo8(array: Float32Array): Float32Array {
  const longer = new Float32Array(padded(array.length)).fill(Number.NaN);
  longer.set(array);
  return longer;
}
