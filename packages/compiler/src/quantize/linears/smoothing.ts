import { typedData, type Float32Tensor } from '../../ir/index.ts';
import type { FeatureExtremes } from '../statistics/feature-extremes.ts';
import { WEIGHT_GRIDS } from '../grids/integer-grid.ts';

/** How a value is divided, feature by feature, before it is quantized; the weights that read it are multiplied. */
export interface Smoothing {
  /** What each feature is divided by. */
  readonly factors: Float64Array;
  /** How much of the difficulty goes into the weights, 0 … 1: α of SmoothQuant. */
  readonly strength: number;
  /** What it takes from the expected squared error of the layers' outputs, in dB. */
  readonly gainDb: number;
}

export interface SmoothedValue {
  readonly extremes: FeatureExtremes;
  /** Mean square of each feature. */
  readonly meanSquares: Float32Array;
  /** [features, columns] of every layer that reads it. */
  readonly weights: readonly Float32Tensor[];
  readonly bits: 7 | 8;
}

const STRENGTHS = Array.from({ length: 21 }, (_, i) => i / 20);

/**
 * The factors s = max|x|^α / max|w|^(1−α) of each feature (Xiao et al., "SmoothQuant: accurate and efficient post-training quantization for large
 * language models", 2023, equation 4) with the α, in steps of 0.05, whose expected squared error of the layers' outputs is least; undefined when none
 * has less than no smoothing.
 */
export function chooseSmoothing(value: SmoothedValue): Smoothing | undefined {
  const reads = featureReads(value.weights);
  const before = expectedError(value, reads.energy, new Float64Array(reads.energy.length).fill(1));
  let best: Smoothing | undefined;
  for (const strength of STRENGTHS) {
    const factors = factorsOf(value.extremes, reads.largest, strength);
    const gainDb = 10 * Math.log10(before / expectedError(value, reads.energy, factors));
    if (gainDb > (best?.gainDb ?? 0)) best = { factors, strength, gainDb };
  }
  return best;
}

/** Of each feature's weights: the largest magnitude, and the sum of squares. */
function featureReads(weights: readonly Float32Tensor[]): { largest: Float64Array; energy: Float64Array } {
  const features = weights[0]?.dims[0] ?? 0;
  const [largest, energy] = [new Float64Array(features), new Float64Array(features)];
  for (const weight of weights) {
    const values = typedData(weight);
    const columns = values.length / features;
    values.forEach((w, at) => {
      const feature = Math.floor(at / columns);
      largest[feature] = Math.max(largest[feature]!, Math.abs(w));
      energy[feature]! += w * w;
    });
  }
  return { largest, energy };
}

/** 1 for a feature that is always 0 or that nobody reads. */
function factorsOf({ min, max }: FeatureExtremes, largest: Float64Array, strength: number): Float64Array {
  return largest.map((w, i) => {
    const x = Math.max(-min[i]!, max[i]!);
    return x > 0 && w > 0 ? x ** strength / w ** (1 - strength) : 1;
  });
}

/**
 * Of the outputs of all layers together, errors of features and weights taken as independent: the input's step²/12 times the squares of the weights,
 * and each column's step²/12 times the squares of the input.
 */
function expectedError(
  { extremes: { min, max }, meanSquares, weights, bits }: SmoothedValue,
  energy: Float64Array,
  factors: Float64Array,
): number {
  let [low, high, inputError, inputEnergy] = [0, 0, 0, 0];
  for (const [i, factor] of factors.entries()) {
    low = Math.min(low, min[i]! / factor);
    high = Math.max(high, max[i]! / factor);
    inputError += factor ** 2 * energy[i]!;
    inputEnergy += meanSquares[i]! / factor ** 2;
  }
  const step = (high - low) / 255;
  const columnSteps = weights.reduce((sum, weight) => sum + squaredSteps(weight, factors, bits), 0);
  return (step ** 2 * inputError + columnSteps * inputEnergy) / 12;
}

/** Σ of the squared steps of the columns, each as wide as its largest weight asks for. */
function squaredSteps(weight: Float32Tensor, factors: Float64Array, bits: 7 | 8): number {
  const values = typedData(weight);
  const columns = values.length / factors.length;
  const largest = new Float64Array(columns);
  for (const [i, factor] of factors.entries()) {
    for (let column = 0; column < columns; column++) {
      const w = Math.abs(values[i * columns + column]!) * factor;
      if (w > largest[column]!) largest[column] = w;
    }
  }
  return largest.reduce((sum, w) => sum + (w / WEIGHT_GRIDS[bits].high) ** 2, 0);
}
