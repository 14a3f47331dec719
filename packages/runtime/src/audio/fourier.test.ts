import { seededRandom } from '@edgewise/test-utils';
import { expect, it } from 'vitest';
import { FourierTransform } from './fourier.ts';

it.each([1, 2, 3, 8, 12, 25, 64, 400])('%i points: the sums of the definition', (size) => {
  const values = Float64Array.from(seededRandom(size).uniform(size, -1, 1));
  const { real, imaginary } = new FourierTransform(size).transform(values);
  expect(real).toHaveLength(Math.floor(size / 2) + 1);
  real.forEach((value, bin) => {
    const angle = (index: number): number => (-2 * Math.PI * bin * index) / size;
    expect(value).toBeCloseTo(
      values.reduce((sum, x, index) => sum + x * Math.cos(angle(index)), 0),
      10,
    );
    expect(imaginary[bin]).toBeCloseTo(
      values.reduce((sum, x, index) => sum + x * Math.sin(angle(index)), 0),
      10,
    );
  });
});
