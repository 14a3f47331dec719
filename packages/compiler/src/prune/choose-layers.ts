import type { Model } from '../ir/index.ts';
import { runPasses } from '../rewrite/index.ts';
import { encoderLayers } from './encoder-layers.ts';
import { removeLayers } from './remove-layers.ts';
import { runTogether, type CalibrationData } from './run-together.ts';

export interface ChooseLayersOptions extends CalibrationData {
  /** How many to remove. */
  readonly count: number;
  readonly onProgress?: (what: string) => void;
}

/**
 * The layers whose removal moves the outputs least, one after the other, each time measured anew without those already gone (Sajjad et
 * al. 2023, "On the effect of dropping layers of pre-trained transformer models", compare fixed choices; greedy ablation finds its own).
 * @returns layer numbers, ascending
 * @throws CompilerError what `encoderLayers`, `removeLayers` and `runTogether` throw.
 */
export async function chooseLayers(float: Model, options: ChooseLayersOptions): Promise<number[]> {
  const { count, onProgress, ...data } = options;
  const total = encoderLayers(float).length;
  let removed: number[] = [];
  while (removed.length < count) {
    let best: { layers: number[]; distance: number } | undefined;
    for (let layer = 0; layer < total; layer++) {
      if (removed.includes(layer)) continue;
      const layers = [...removed, layer];
      onProgress?.(`without layers ${layers.join(', ')}`);
      const { model } = await runPasses(float, [removeLayers({ layers })]);
      const distance = await outputDistance(float, model, data);
      if (best === undefined || distance < best.distance) best = { layers, distance };
    }
    if (best === undefined) break;
    removed = best.layers;
  }
  return removed.toSorted((a, b) => a - b);
}

/** Squared difference of all outputs as a share of the float model's squares. */
export async function outputDistance(float: Model, candidate: Model, data: CalibrationData): Promise<number> {
  const outputs = (model: Model): string[] => model.graph.outputs.map(({ name }) => name);
  const watched = [float, candidate].map((model) => ({ model, values: outputs(model) }));
  let [error, energy] = [0, 0];
  await runTogether(watched, data, ([expected = [], actual = []]) => {
    for (const [at, values] of expected.entries()) {
      const others = actual[at]!;
      for (let i = 0; i < values.length; i++) {
        error += (values[i]! - others[i]!) ** 2;
        energy += values[i]! ** 2;
      }
    }
  });
  return error / energy;
}
