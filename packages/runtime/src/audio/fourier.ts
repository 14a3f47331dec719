/** Complex numbers as two arrays. */
export interface Complex {
  readonly real: Float64Array;
  readonly imaginary: Float64Array;
}

/** Discrete Fourier transforms of one size: halves it while it is even (Cooley and Tukey), then sums directly. */
export class FourierTransform {
  readonly #size: number;
  readonly #cosines: Float64Array;
  readonly #sines: Float64Array;
  readonly #real: Float64Array;
  readonly #imaginary: Float64Array;

  constructor(size: number) {
    this.#size = size;
    const angles = Float64Array.from({ length: size }, (_, index) => (2 * Math.PI * index) / size);
    this.#cosines = angles.map(Math.cos);
    this.#sines = angles.map(Math.sin);
    this.#real = new Float64Array(size);
    this.#imaginary = new Float64Array(size);
  }

  /** The bins 0…size/2 of `size` real values; views that the next call writes over. */
  transform(values: Float64Array): Complex {
    this.#fill(values, 0, 1, this.#size, 0);
    const bins = Math.floor(this.#size / 2) + 1;
    return { real: this.#real.subarray(0, bins), imaginary: this.#imaginary.subarray(0, bins) };
  }

  /** Writes the transform of the `size` values at first, first + step, … to the bins from `at` on. */
  #fill(values: Float64Array, first: number, step: number, size: number, at: number): void {
    if (size % 2 === 1) return this.#sum(values, first, step, size, at);
    const half = size / 2;
    this.#fill(values, first, 2 * step, half, at);
    this.#fill(values, first + step, 2 * step, half, at + half);
    const real = this.#real;
    const imaginary = this.#imaginary;
    for (let bin = 0; bin < half; bin++) {
      const [low, high] = [at + bin, at + half + bin];
      const cosine = this.#cosines[bin * step] as number;
      const sine = this.#sines[bin * step] as number;
      const [a, b] = [real[low] as number, imaginary[low] as number];
      const [c, d] = [real[high] as number, imaginary[high] as number];
      const turnedReal = c * cosine + d * sine;
      const turnedImaginary = d * cosine - c * sine;
      real[low] = a + turnedReal;
      imaginary[low] = b + turnedImaginary;
      real[high] = a - turnedReal;
      imaginary[high] = b - turnedImaginary;
    }
  }

  #sum(values: Float64Array, first: number, step: number, size: number, at: number): void {
    for (let bin = 0; bin < size; bin++) {
      let [real, imaginary] = [0, 0];
      for (let index = 0; index < size; index++) {
        const value = values[first + index * step] as number;
        const turn = ((bin * index) % size) * step;
        real += value * (this.#cosines[turn] as number);
        imaginary -= value * (this.#sines[turn] as number);
      }
      this.#real[at + bin] = real;
      this.#imaginary[at + bin] = imaginary;
    }
  }
}
