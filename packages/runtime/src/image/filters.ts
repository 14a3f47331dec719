/** A filter of Pillow's: weight at a distance from the centre, in source pixels, and where it ends. */
export interface Filter {
  readonly support: number;
  readonly weight: (distance: number) => number;
}

export type FilterName = 'box' | 'bilinear' | 'bicubic' | 'lanczos';

/** From Pillow's src/libImaging/Resample.c. */
export const FILTERS: Readonly<Record<FilterName, Filter>> = {
  box: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { support: 2, weight: (x) => bicubic(Math.abs(x)) },
  lanczos: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

const A = -0.5;

/** Cubic convolution (Keys 1981) with a = −0.5. */
function bicubic(x: number): number {
  if (x < 1) return ((A + 2) * x - (A + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * A;
  return 0;
}

function sinc(x: number): number {
  if (x === 0) return 1;
  const angle = x * Math.PI;
  return Math.sin(angle) / angle;
}
