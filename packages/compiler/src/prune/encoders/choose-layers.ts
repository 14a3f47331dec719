import type { Model } from '../../ir/index.ts';
import { runPasses } from '../../rewrite/index.ts';
import { encoderLayers } from './encoder-layers.ts';
import { removeLayers } from './remove-layers.ts';
import { runTogether, type CalibrationData } from '../run-together.ts';

export interface ChooseLayersOptions extends CalibrationData {
  /** How many to remove. */
  readonly count: number;
  readonly onProgress?: (what: string) => void;
}

/** The order of distances settles sooner than what is fitted. */
const ABLATION_SAMPLES = 128;

/**
 * The layers whose removal moves the outputs least, one after the other, each time measured anew without those already gone (Sajjad et
 * al. 2023, "On the effect of dropping layers of pre-trained transformer models", compare fixed choices; greedy ablation finds its own).
 * Looks at the first 128 samples, whose outputs it holds in memory.
 * @returns layer numbers, ascending
 * @throws CompilerError what `encoderLayers`, `removeLayers` and `runTogether` throw.
 */
export async function chooseLayers(float: Model, options: ChooseLayersOptions): Promise<number[]> {
  const { count, onProgress, ...all } = options;
  const data = { ...all, samples: all.samples.slice(0, ABLATION_SAMPLES) };
  const total = encoderLayers(float).length;
  const expected = count > 0 ? await outputsOf(float, data) : [];
  let removed: number[] = [];
  while (removed.length < count) {
    let best = { layers: removed, distance: Infinity };
    for (let layer = 0; layer < total; layer++) {
      if (removed.includes(layer)) continue;
      const layers = [...removed, layer];
      onProgress?.(`without layers ${layers.join(', ')}`);
      const { model } = await runPasses(float, [removeLayers({ layers })]);
      const distance = squaredDistance(await outputsOf(model, data), expected);
      if (distance <= best.distance) best = { layers, distance };
    }
    removed = best.layers;
  }
  return removed.toSorted((a, b) => a - b);
}

/** Every output for every sample. */
async function outputsOf(model: Model, data: CalibrationData): Promise<Float32Array[]> {
  const outputs: Float32Array[] = [];
  const values = model.graph.outputs.map(({ name }) => name);
  await runTogether([{ model, values }], data, ([found = []]) => void outputs.push(...found));
  return outputs;
}

function squaredDistance(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  let sum = 0;
  for (const [at, values] of a.entries())
    for (let i = 0; i < values.length; i++) sum += (values[i]! - b[at]![i]!) ** 2;
  return Number.isNaN(sum) ? Infinity : sum;
}
