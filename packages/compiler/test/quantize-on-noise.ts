import { seededRandom } from '@edgewise/test-utils';
import { writeOnnx } from '../src/import/onnx/index.ts';
import { denseTensor, type DenseTensor, type Model } from '../src/ir/index.ts';
import { inferTypes } from '../src/ops/index.ts';
import {
  convNetValues,
  observeConvNet,
  quantizeConvNet,
  separateActivations,
  type ActivationRunner,
} from '../src/quantize/index.ts';
import { runPasses } from '../src/rewrite/index.ts';
import { expandEdgewise } from '../src/targets/index.ts';
import { compactConvNet, tabulateBytes } from '../src/transforms/index.ts';
import { runOnnx } from './onnxruntime.ts';

/** A model with ranges from random images, and another image. */
export async function quantizeOnNoise(
  original: Model,
): Promise<{ model: Model; image: Map<string, DenseTensor> }> {
  const { model: float } = await runPasses(original, [...compactConvNet(), separateActivations()]);
  const input = float.graph.inputs.find(({ name }) => !float.graph.initializers.has(name))!;
  const shape = input.type?.kind === 'tensor' ? (input.type.shape as number[]) : [];
  const random = seededRandom(11);
  const count = shape.reduce((product, dim) => product * dim, 1);
  const images = [1, 2, 3].map(
    () => new Map([[input.name, denseTensor('float32', shape, random.normal(count))]]),
  );
  const statistics = await observeConvNet(float, runnerOf(float), images.slice(1));
  const { model } = await runPasses(float, [quantizeConvNet({ statistics, noiseLimit: 1 }), tabulateBytes()]);
  return { model, image: images[0]! };
}

/** Runs calibration in onnxruntime. */
function runnerOf(model: Model): ActivationRunner {
  const { types } = inferTypes(model);
  const inputs = new Set(model.graph.inputs.map(({ name }) => name));
  const outputs = convNetValues(model)
    .filter((name) => !inputs.has(name))
    .map((name) => ({ name, type: types.get(name)! }));
  const { bytes } = writeOnnx(expandEdgewise({ ...model, graph: { ...model.graph, outputs } }));
  return async (sample, want, emit) => {
    const outcome = await runOnnx(bytes, sample as Map<string, DenseTensor>, {
      graphOptimizationLevel: 'all',
    });
    if ('failure' in outcome) throw new Error(outcome.failure);
    for (const [name, tensor] of sample) emit(name, tensor);
    for (const name of want) {
      const value = outcome.outputs[name];
      if (value) emit(name, denseTensor('float32', value.dims, value.data as Float32Array));
    }
  };
}

/** The model with all that comes out of bytes as outputs too. */
export function withByteOutputs(model: Model): Model {
  const { types } = inferTypes(model);
  const names = model.graph.nodes
    .filter(
      ({ opType, inputs }) => opType === 'DequantizeLinear' || (opType === 'QGemm' && inputs.length < 8),
    )
    .map(({ outputs }) => outputs[0]!)
    .filter((name) => !model.graph.outputs.some((output) => output.name === name));
  const added = names.map((name) => ({ name, type: types.get(name)! }));
  return { ...model, graph: { ...model.graph, outputs: [...model.graph.outputs, ...added] } };
}
