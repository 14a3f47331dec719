import { typedData, type Model } from '../../ir/index.ts';
import { GraphIndex } from '../../rewrite/index.ts';
import { encoderLayers, linearBias, linearWeight, type LayerPart } from './encoder-layers.ts';
import { fitProjection, type FittedProjection } from '../least-squares/fit-projection.ts';
import { NormalEquations } from '../least-squares/normal-equations.ts';
import { runTogether, type CalibrationData } from '../run-together.ts';

export interface FitPartOptions {
  /** The model before pruning, and the layer of it whose part is to be imitated. */
  readonly float: Model;
  readonly target: number;
  /** The model as it is by now, and the layer of it. */
  readonly model: Model;
  readonly layer: number;
  readonly part: LayerPart;
  /** Heads or neurons to remove. */
  readonly remove: number;
  readonly damping: number;
}

/**
 * Fits a projection of the pruned model so that its sum with the residual comes near the float model's. Each row is divided by
 * the deviation of that sum, which the normalization behind it divides by.
 */
export async function fitPart(
  { float, target, model, layer, part, remove, damping }: FitPartOptions,
  data: CalibrationData,
): Promise<FittedProjection> {
  const wanted = encoderLayers(float)[target]!.parts[part];
  const found = encoderLayers(model)[layer]!;
  const own = found.parts[part];
  const index = new GraphIndex(model.graph);
  const weight = linearWeight(own.projection, index);
  const [inputs = 0, outputs = 0] = weight.dims;
  const equations = new NormalEquations(inputs + 1, outputs);
  const row = new Float64Array(inputs + 1).fill(1);
  const missing = new Float64Array(outputs);
  const watched = [
    { model: float, values: [wanted.projection.outputs[0] ?? '', wanted.skip] },
    { model, values: [own.input, own.skip] },
  ];
  await runTogether(watched, data, (found) => {
    const [projected, skip, x, ownSkip] = found.flat() as Four;
    for (let at = 0; at * outputs < projected.length; at++) {
      const sum = (i: number): number => projected[at * outputs + i]! + skip[at * outputs + i]!;
      for (let i = 0; i < outputs; i++) missing[i] = sum(i) - ownSkip[at * outputs + i]!;
      row.set(x.subarray(at * inputs, (at + 1) * inputs));
      equations.add(row, missing, 1 / deviation(outputs, sum));
    }
  });
  return fitProjection({
    equations,
    weight: typedData(weight),
    bias: linearBias(own.projection, index),
    groupSize: part === 'attention' ? inputs / found.headCount : 1,
    remove,
    damping,
  });
}

type Four = [Float32Array, Float32Array, Float32Array, Float32Array];

/** What a LayerNorm divides by, not less than what is lost in float32. */
function deviation(count: number, value: (i: number) => number): number {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < count; i++) {
    sum += value(i);
    squares += value(i) ** 2;
  }
  return Math.sqrt(Math.max(squares / count - (sum / count) ** 2, 1e-12));
}
