import { readFileSync } from 'node:fs';
import { createSession } from '@edgewise/runtime/node';
import { expectTensorClose, seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { readOnnx, writeOnnx } from '../src/import/onnx/index.ts';
import {
  cloneModel,
  float32Tensor,
  int64Tensor,
  isFloat32,
  typedData,
  type Model,
  type Tensor,
} from '../src/ir/index.ts';
import { evaluateModel } from '../src/ops/index.ts';
import { encoderLayers } from '../src/prune/encoders/encoder-layers.ts';
import {
  chooseLayers,
  pruneEncoder,
  pruneHeads,
  pruneNeurons,
  refitProjection,
  removeLayers,
  type CalibrationData,
} from '../src/prune/index.ts';
import { runPasses, type Transform } from '../src/rewrite/index.ts';
import { buildPackage, compileEdge, expandEdgewise } from '../src/targets/index.ts';
import { compactEncoder, narrowSequence } from '../src/transforms/index.ts';
import { runOnnx } from './onnxruntime.ts';

const MODELS = [
  'bert-cls-legacy-sdpa',
  'distilbert-dynamo-sdpa',
  'minilm-legacy-eager',
  'roberta-legacy-sdpa',
];

// Sums over fewer terms in another order.
const TOLERANCE = { abs: 2e-6, rel: 2e-6 };

async function compact(name: string): Promise<Model> {
  const bytes = readFileSync(new URL(`fixtures/exports/${name}.onnx`, import.meta.url));
  return (await runPasses(readOnnx(bytes), compactEncoder())).model;
}

async function apply(model: Model, ...passes: Transform[]): Promise<Model> {
  return (await runPasses(model, passes)).model;
}

function samplesFor({ graph }: Model, count: number): Map<string, Tensor>[] {
  const random = seededRandom(11);
  return Array.from({ length: count }, () => {
    const length = random.int(4, 20);
    const rows: Readonly<Record<string, readonly number[]>> = {
      input_ids: Array.from({ length }, () => random.int(5, 90)),
      attention_mask: Array.from({ length }, () => 1),
    };
    return new Map(
      graph.inputs.map(({ name }) => [
        name,
        int64Tensor([1, length], rows[name] ?? Array.from({ length }, () => 0)),
      ]),
    );
  });
}

const reference: CalibrationData['open'] = (model) => ({
  run: (sample, want, emit) =>
    evaluateModel(model, sample, { want }).forEach((tensor, name) => emit(name, tensor)),
  close: () => {},
});

/** The same model with some rows of a constant matrix, and the bias of what feeds them, as if they were not there. */
function withZeroRows(model: Model, weight: string, rows: (row: number) => boolean): Model {
  const changed = cloneModel(model);
  const tensor = changed.graph.initializers.get(weight);
  if (tensor === undefined || !isFloat32(tensor)) throw new Error(weight);
  const width = tensor.dims[1] ?? 0;
  const values = typedData(tensor).map((value, at) => (rows(Math.floor(at / width)) ? 0 : value));
  changed.graph.initializers.set(weight, float32Tensor(tensor.dims, values));
  return changed;
}

function outputs(model: Model, sample: ReadonlyMap<string, Tensor>): number[] {
  return [...evaluateModel(model, sample).values()].flatMap(floats);
}

function floats(tensor: Tensor): number[] {
  if (!isFloat32(tensor)) throw new Error('expected float32');
  return [...typedData(tensor)];
}

function parameters({ graph }: Model): number {
  return [...graph.initializers.values()].reduce(
    (sum, tensor) => sum + (isFloat32(tensor) ? typedData(tensor).length : 0),
    0,
  );
}

describe.each(MODELS)('pruning %s', (name) => {
  it('without heads is as if the projection did not read them', async () => {
    const model = await compact(name);
    const [, layer] = encoderLayers(model);
    const { projection } = layer!.parts.attention;
    const keep = [0, 3].filter((head) => head < layer!.headCount);
    const depth = model.graph.initializers.get(projection.inputs[1]!)!.dims[0]! / layer!.headCount;
    const pruned = await apply(model, pruneHeads({ layer: 1, keep }));
    const masked = withZeroRows(
      model,
      projection.inputs[1]!,
      (row) => !keep.includes(Math.floor(row / depth)),
    );
    expect(encoderLayers(pruned)[1]!.headCount).toBe(keep.length);
    expect(parameters(pruned)).toBeLessThan(parameters(model));
    for (const sample of samplesFor(model, 3)) {
      expectTensorClose(outputs(pruned, sample), outputs(masked, sample), TOLERANCE);
      expect(outputs(pruned, sample)).not.toEqual(outputs(model, sample));
    }
  });

  it('without neurons is as if the second feed-forward layer did not read them', async () => {
    const model = await compact(name);
    const [layer] = encoderLayers(model);
    const { projection } = layer!.parts.feedForward;
    const keep = Array.from({ length: layer!.neuronCount }, (_, at) => at).filter(
      (neuron) => neuron % 3 !== 1,
    );
    const pruned = await apply(model, pruneNeurons({ layer: 0, keep }));
    const masked = withZeroRows(model, projection.inputs[1]!, (row) => row % 3 === 1);
    expect(encoderLayers(pruned)[0]!.neuronCount).toBe(keep.length);
    for (const sample of samplesFor(model, 3))
      expectTensorClose(outputs(pruned, sample), outputs(masked, sample), TOLERANCE);
  });

  it.each([0, 1])('without layer %i the others compute on', async (removed) => {
    const model = await compact(name);
    const pruned = await apply(model, removeLayers({ layers: [removed] }));
    const [left] = encoderLayers(pruned);
    expect(encoderLayers(pruned)).toHaveLength(1);
    expect(left!.attention.name).toBe(encoderLayers(model)[1 - removed]!.attention.name);
    expect(left!.input).toBe(encoderLayers(model)[0]!.input);
    expect(pruned.graph.outputs.map(({ name: output }) => output)).toEqual(
      model.graph.outputs.map(({ name: output }) => output),
    );
  });

  it('gives the same in onnxruntime and in our engine', async () => {
    const model = await compact(name);
    const samples = samplesFor(model, 4);
    const { model: pruned } = await pruneEncoder(model, {
      layers: 0.5,
      heads: 0.5,
      neurons: 0.6,
      open: reference,
      samples,
    });
    const { model: edge, files } = compileEdge(await apply(pruned, narrowSequence()), { maxSequence: 24 });
    const session = await createSession(
      await buildPackage({ description: { name: 'test', task: 'test' }, model: edge, files }),
      { threads: 1 },
    );
    const onnx = writeOnnx(expandEdgewise(pruned)).bytes;
    for (const sample of samples) {
      const expected = evaluateModel(pruned, sample);
      const feeds = new Map(
        [...sample].map(([input, tensor]) => [
          input,
          tensor.kind === 'dense' ? tensor : (undefined as never),
        ]),
      );
      const ran = await runOnnx(onnx, feeds);
      if (!('outputs' in ran)) throw new Error(ran.failure);
      const edgeOutputs = await session.run(
        Object.fromEntries(
          [...feeds]
            .filter(([input]) => session.inputs.some((each) => each.name === input))
            .map(([input, tensor]) => [input, Array.from(typedData(tensor), Number)]),
        ),
      );
      for (const [output, tensor] of expected) {
        expectTensorClose(ran.outputs[output]!.data as Float32Array, floats(tensor), {
          abs: 2e-5,
          rel: 2e-5,
        });
        expectTensorClose(edgeOutputs[output]!.data, floats(tensor), { abs: 2e-5, rel: 2e-5 });
      }
    }
    session.dispose();
  });
});

describe('chooseLayers', () => {
  it.each(MODELS)('%s: the layer without which the outputs are nearest', async (name) => {
    const model = await compact(name);
    const samples = samplesFor(model, 5);
    const distances = await Promise.all(
      [0, 1].map(async (layer) => {
        const without = await apply(model, removeLayers({ layers: [layer] }));
        const pairs = samples.map((sample) => [outputs(without, sample), outputs(model, sample)] as const);
        return pairs.flatMap(([a, b]) => a.map((value, at) => (value - b[at]!) ** 2)).reduce((x, y) => x + y);
      }),
    );
    const nearest = distances[0]! < distances[1]! ? 0 : 1;
    expect(await chooseLayers(model, { open: reference, samples, count: 1 })).toEqual([nearest]);
  });
});

describe('pruneEncoder', () => {
  const name = 'distilbert-dynamo-sdpa';

  it('names what went and leaves the input model alone', async () => {
    const model = await compact(name);
    const before = parameters(model);
    const samples = samplesFor(model, 6);
    const { model: pruned, ...parts } = await pruneEncoder(model, {
      layers: 0.5,
      heads: 0.5,
      neurons: 0.5,
      open: reference,
      samples,
    });
    const [layer] = encoderLayers(pruned);
    const [original] = encoderLayers(model);
    expect(parts.layers).toHaveLength(1);
    expect(parts.heads.map(({ removed }) => removed.length)).toEqual([original!.headCount / 2]);
    expect(layer!.headCount).toBe(original!.headCount / 2);
    expect(layer!.neuronCount).toBe(original!.neuronCount / 2);
    expect(parameters(model)).toBe(before);
  });

  it.each([{ layers: 0.5 }, { heads: 0.5 }, { neurons: 0.5 }])(
    'repair of %o brings what it was fitted to nearer',
    async (shares) => {
      const model = await compact(name);
      const samples = samplesFor(model, 60);
      const given = { ...shares, open: reference, samples };
      const plain = await pruneEncoder(model, { ...given, repair: false });
      const repaired = await pruneEncoder(model, given);
      const distance = (candidate: Model): number => {
        let sum = 0;
        for (const sample of samples) {
          const [a, b] = [lastValues(candidate, sample), lastValues(model, sample)];
          for (const [at, value] of a.entries()) sum += (value - b[at]!) ** 2;
        }
        return sum;
      };
      expect(parameters(repaired.model)).toBe(parameters(plain.model));
      expect(distance(repaired.model)).toBeLessThan(0.8 * distance(plain.model));
    },
  );

  it('refuses what makes no sense', async () => {
    const model = await compact(name);
    const data = { open: reference, samples: samplesFor(model, 1) };
    await expect(pruneEncoder(model, { ...data, heads: 0 })).rejects.toThrow(
      'heads must be a share above 0 and at most 1, got 0',
    );
    await expect(pruneEncoder(model, { ...data, samples: [], heads: 0.5 })).rejects.toThrow(
      'pruning needs at least one sample',
    );
    await expect(apply(model, pruneHeads({ layer: 2, keep: [0] }))).rejects.toThrow(
      'there is no layer 2; the model has 2',
    );
    await expect(apply(model, pruneNeurons({ layer: 0, keep: [1, 1] }))).rejects.toThrow(
      'keep must be an ascending list',
    );
    await expect(apply(model, removeLayers({ layers: [0, 1] }))).rejects.toThrow(
      'one of the 2 layers has to stay',
    );
    await expect(
      apply(
        model,
        refitProjection({
          layer: 0,
          part: 'attention',
          weight: new Float32Array(3),
          bias: new Float32Array(3),
        }),
      ),
    ).rejects.toThrow('takes a weight of');
    const raw = readOnnx(readFileSync(new URL(`fixtures/exports/${name}.onnx`, import.meta.url)));
    await expect(apply(raw, removeLayers({ layers: [0] }))).rejects.toThrow('no edgewise.Attention');
  });
});

/** What the last encoder layer makes. */
function lastValues(model: Model, sample: ReadonlyMap<string, Tensor>): number[] {
  const value = encoderLayers(model).at(-1)!.output;
  return floats(evaluateModel(model, sample, { want: [value] }).get(value)!);
}
