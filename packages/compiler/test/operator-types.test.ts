import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describeWithAssets, sharedAsset, worstDifference } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { dimSymbols, readOnnx, writeOnnx, type Graph, type Model } from '../src/index.ts';
import {
  bindDim,
  costNodes,
  evaluateModel,
  inferTypes,
  tensorNumbers,
  type InferredTypes,
} from '../src/ops/index.ts';
import { runOnnx, type Feeds, type OutputTensor } from './onnxruntime.ts';
import { EXPORTS, randomFeeds, SHARED } from './sample-models.ts';

/**
 * Values whose shape is not known before the model runs, by model: all depend on the branch that an If takes on data.
 * onnxruntime's symbolic inference gives up on both models.
 */
const UNKNOWN: ReadonlyMap<string, RegExp> = new Map([
  ['silero_vad_16k_op15.onnx', /^(\/model\/(decoder|If|ReduceMean)|output$|stateN$)/],
  ['silero_vad.onnx', /^(If_|output$|stateN$)/],
]);

/** No size is 1 where it can be avoided: a 1 would hide a wrong broadcast. */
const SIZES: ReadonlyMap<string, number> = new Map([
  ['N', 2],
  ['batch', 2],
  ['height', 64],
  ['width', 96],
]);

/** Larger models are checked for types only: the reference evaluator is not made for speed. */
const EVALUATION_MAX_MACS = 60e6;

/** Of the largest magnitude in the tensor: float32 sums in another order, through up to 60 layers. */
const RELATIVE_TOLERANCE = 1e-4;
const ABSOLUTE_TOLERANCE = 1e-6;

describe('types and values of PyTorch exports', () => {
  it.each(readdirSync(EXPORTS).filter((name) => name.endsWith('.onnx')))('%s', async (name) => {
    await expectAgreement(join(EXPORTS, name));
  });
});

describeWithAssets('types and values of trained models', SHARED, () => {
  it.each(SHARED)('%s', async (path) => {
    await expectAgreement(sharedAsset(path));
  });
});

/** Every node output of the main graph: type and, for small models, elements, as onnxruntime computes them. */
async function expectAgreement(path: string): Promise<void> {
  const model = readOnnx(readFileSync(path), { file: basename(path) });
  const feeds = randomFeeds(model, SIZES);
  const real = await runEverything(model, feeds);
  const inferred = inferTypes(withoutDeclaredTypes(model));
  const bindings = bindInputs(inferred, feeds);
  const unknown = UNKNOWN.get(basename(path)) ?? /^$/;
  const problems = [...real].flatMap(([name, output]) => {
    const problem = typeProblem(inferred, name, output, bindings, unknown.test(name));
    return problem ? [`${name}: ${problem}`] : [];
  });
  expect(problems).toEqual([]);

  const macs = costNodes(model, inferred, bindings).reduce((sum, cost) => sum + (cost.macs ?? 0), 0);
  if (macs <= EVALUATION_MAX_MACS) expectValues(model, feeds, real);
}

async function runEverything(model: Model, feeds: Feeds): Promise<Map<string, OutputTensor>> {
  const names = model.graph.nodes.flatMap((node) => node.outputs).filter((name) => name !== '');
  const graph: Graph = { ...model.graph, outputs: names.map((name) => ({ name })) };
  const outcome = await runOnnx(writeOnnx({ ...model, graph }).bytes, feeds);
  if ('failure' in outcome) throw new Error(outcome.failure);
  return new Map(Object.entries(outcome.outputs));
}

/** Only the inputs keep their types: what an exporter wrote about inner values must not help. */
function withoutDeclaredTypes(model: Model): Model {
  const outputs = model.graph.outputs.map(({ name }) => ({ name }));
  return { ...model, graph: { ...model.graph, valueInfo: new Map(), outputs } };
}

function bindInputs(inferred: InferredTypes, feeds: Feeds): Map<string, number> {
  const bindings = new Map<string, number>();
  for (const [name, { dims }] of feeds) {
    for (const [axis, dim] of (inferred.types.get(name)?.shape ?? []).entries()) {
      for (const symbol of dimSymbols(dim)) bindings.set(symbol, dims[axis] ?? 0);
    }
  }
  return bindings;
}

function typeProblem(
  { types }: InferredTypes,
  name: string,
  real: OutputTensor,
  bindings: ReadonlyMap<string, number>,
  mayBeUnknown: boolean,
): string | undefined {
  const type = types.get(name);
  const dims = type?.shape?.map((dim) => bindDim(dim, bindings));
  if (type === undefined || dims === undefined) return mayBeUnknown ? undefined : 'no shape is known';
  const fits =
    type.dtype === real.type &&
    dims.length === real.dims.length &&
    dims.every((dim, axis) => dim === real.dims[axis] || (mayBeUnknown && dim === null));
  return fits
    ? undefined
    : `${type.dtype} [${type.shape?.join()}] instead of ${real.type} [${real.dims.join()}]`;
}

function expectValues(model: Model, feeds: Feeds, real: ReadonlyMap<string, OutputTensor>): void {
  const results = evaluateModel(model, feeds, { want: [...real.keys()] });
  const problems = [...results].flatMap(([name, tensor]) => {
    const expected = real.get(name)?.data as ArrayLike<number>;
    const largest = Array.from(expected, Number).reduce(
      (top, x) => (Number.isFinite(x) ? Math.max(top, Math.abs(x)) : top),
      0,
    );
    const abs = ABSOLUTE_TOLERANCE + RELATIVE_TOLERANCE * largest;
    const worst = worstDifference(tensorNumbers(tensor), expected, { abs });
    return worst && worst.failing > 0 ? [`${name}: ${JSON.stringify(worst)}`] : [];
  });
  expect(problems).toEqual([]);
}
