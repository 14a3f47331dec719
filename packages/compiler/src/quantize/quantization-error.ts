/** What rounding did to one tensor. */
export interface QuantizationError {
  /** Signal to quantization noise, 10·log10(Σx² / Σ(x−x̂)²); Infinity when nothing was lost. */
  readonly sqnrDb: number;
  /** Share of the numbers that lay outside the grid. */
  readonly clippedShare: number;
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
