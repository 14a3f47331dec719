import { CompilerError } from '../../diagnostics/index.ts';
import { elementCount, type Model } from '../../ir/index.ts';
import { runPasses, type Transform } from '../../rewrite/index.ts';
import type { WeightBits } from '../grids/integer-grid.ts';
import type { LayerEffect } from '../layer-effect.ts';

export interface MeasureSensitivityOptions {
  readonly float: Model;
  /** Makes the transform under test; all of ours take these options. */
  readonly quantize: (options: {
    readonly keepFloat: (layer: string) => boolean;
    readonly onLayer: (effect: LayerEffect) => void;
  }) => Transform;
  /** What a model answers to a few samples, one after the other. */
  readonly outputsOf: (model: Model) => Promise<Float32Array>;
  /** What a model loses of a metric against the float model. Default: not measured. */
  readonly dropOf?: (model: Model) => Promise<number>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** What the model's answers lose when one layer alone is quantized. */
export interface LayerSensitivity {
  readonly layer: string;
  /** Of all outputs: 10·log10(Σ(x − mean)² / Σ(x − x̂)²), at most 120. */
  readonly signalToNoiseDb: number;
  /** Of the metric, against the float model; positive is worse. Where it was measured. */
  readonly drop?: number;
  /** That its weight was quantized to. */
  readonly bits: WeightBits;
  /** How many numbers its weight has. */
  readonly weights: number;
}

/** More is no difference: JSON has no infinity. */
const MOST_DB = 120;

/**
 * Quantizes one layer at a time and compares the outputs with the float model's. The error of a layer's own output does not tell this: what
 * follows may drown or multiply it.
 *
 * ```ts
 * const layers = await measureSensitivity({ float, outputsOf, quantize: (options) => quantizeWeightsInt4({ ...options, moments }) });
 * ```
 * @returns layers in the order of computation
 * @throws CompilerError `aborted`
 */
export async function measureSensitivity({
  float,
  quantize,
  outputsOf,
  dropOf,
  signal,
  onProgress,
}: MeasureSensitivityOptions): Promise<LayerSensitivity[]> {
  const effects: LayerEffect[] = [];
  const onLayer = (effect: LayerEffect): void => void effects.push(effect);
  await runPasses(float, [quantize({ keepFloat: () => false, onLayer })]);
  const expected = await outputsOf(float);
  const found: LayerSensitivity[] = [];
  for (const { layer, weight, bits } of effects) {
    if (signal?.aborted === true)
      throw new CompilerError('aborted', `stopped after ${found.length} of ${effects.length} layers`, {
        cause: signal.reason,
      });
    const transform = quantize({ keepFloat: (other) => other !== layer, onLayer: () => {} });
    const { model } = await runPasses(float, [transform]);
    const signalToNoiseDb = signalToNoise(expected, await outputsOf(model));
    const weights = elementCount(float.graph.initializers.get(weight)?.dims ?? []);
    const drop = await dropOf?.(model);
    found.push({ layer, signalToNoiseDb, bits, weights, ...(drop !== undefined && { drop }) });
    onProgress?.(found.length, effects.length);
  }
  return found;
}

function signalToNoise(expected: Float32Array, actual: Float32Array): number {
  const mean = expected.reduce((sum, x) => sum + x, 0) / expected.length;
  let [signal, noise] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    signal += (expected[i]! - mean) ** 2;
    noise += (expected[i]! - actual[i]!) ** 2;
  }
  return Math.min(MOST_DB, 10 * Math.log10(signal / noise));
}
