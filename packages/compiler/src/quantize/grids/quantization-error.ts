/** What rounding did to one tensor. */
export interface QuantizationError {
  /** Signal to quantization noise, 10·log10(Σx² / Σ(x−x̂)²); Infinity when nothing was lost. */
  readonly sqnrDb: number;
  /** Share of the numbers that lay outside the grid. */
  readonly clippedShare: number;
}

/** The error of a weight [rows, columns] that was changed after it was rounded. */
export function errorOfWeight(
  floats: Float32Array,
  values: Int8Array,
  scale: Float32Array,
  clippedShare: number,
): QuantizationError {
  const tally = new ErrorTally();
  for (let at = 0; at < floats.length; at++) {
    const value = floats[at]!;
    tally.signal += value * value;
    tally.noise += (value - values[at]! * scale[at % scale.length]!) ** 2;
  }
  return { ...tally.result(), clippedShare };
}

/** Sums over everything quantized so far. */
export class ErrorTally {
  signal = 0;
  noise = 0;
  clipped = 0;
  count = 0;

  result(): QuantizationError {
    return {
      sqnrDb: this.noise === 0 ? Infinity : 10 * Math.log10(this.signal / this.noise),
      clippedShare: this.count === 0 ? 0 : this.clipped / this.count,
    };
  }
}
