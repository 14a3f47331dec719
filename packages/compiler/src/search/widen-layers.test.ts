import { seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { float32Tensor, parseModel, typedData, type Tensor } from '../ir/index.ts';
import { evaluateModel } from '../ops/index.ts';
import { observeConvNet, separateActivations, type ActivationRunner } from '../quantize/index.ts';
import { runPasses } from '../rewrite/index.ts';
import { compactConvNet } from '../transforms/index.ts';
import { listTransforms } from './list-transforms.ts';
import { listPrunedRecipes } from './pruned-recipes.ts';
import { listConvNetRecipes, listRecipes } from './recipe.ts';
import { canWiden, rankLayers, widenedLayers, widenLayers, widestSteps } from './widen-layers.ts';

describe('widenLayers', () => {
  const smallest = listRecipes({ calibrated: true }).at(-1)!;

  it('gives weights and tables 8 bits by a second step for what the first leaves', () => {
    const { name, steps } = widenLayers(smallest, ['embed.word', 'q']);
    const except = ['embed.word', 'q'];
    expect(name).toBe('w7a8-static+int4-embeddings+int3-weights-mixed-2');
    expect(steps).toEqual([
      { name: 'edge-encoder' },
      {
        name: 'quantize-weights-int4',
        options: { weightBits: 3, computeBits: 7, activations: 'static', except },
      },
      { name: 'quantize-linears', options: { weightBits: 7, activations: 'static' } },
      { name: 'quantize-embeddings', options: { bits: 4, except } },
      { name: 'quantize-embeddings', options: { bits: 8 } },
    ]);
    expect(() => listTransforms({ name, steps }, { ranges: new Map() })).not.toThrow();
  });

  it.each([
    ['leaves convolutions in 8 bits float', 'w8a8-static', 'except'],
    ['gives convolutions with weights in 7 bits 8', 'w7a8-static', 'eightBits'],
  ])('%s', (_, base, option) => {
    const recipe = listConvNetRecipes({ calibrated: true }).find(({ name }) => name === base)!;
    const { steps } = widenLayers(recipe, ['stem']);
    expect(steps.at(-1)).toEqual({
      name: 'quantize-conv-net',
      options: {
        weightBits: Number(base[1]),
        activationRange: 'mse',
        [option]: ['stem'],
      },
    });
    expect(widenedLayers(steps)).toEqual(new Set(['stem']));
    expect(widenedLayers(recipe.steps)).toEqual(new Set());
  });

  it('makes transforms that give these layers more bits', async () => {
    const net = parseModel(`ir 8
opset ai.onnx 18
graph main {
  input x: float32[1,2,6,6]
  constant w1: float32[4,2,3,3] random(1)
  constant w2: float32[3,4,3,3] random(2)
  a = Conv(x, w1)
  y = Conv(a, w2)
  output y: float32[1,3,2,2]
}`);
    const { model } = await runPasses(net, [...compactConvNet(), separateActivations()]);
    const samples = [new Map([['x', float32Tensor([1, 2, 6, 6], seededRandom(3).normal(72))]])];
    const run: ActivationRunner = (sample, want, emit) => {
      for (const [name, tensor] of evaluateModel(model, sample, { want })) emit(name, tensor);
    };
    const convNet = await observeConvNet(model, run, samples);
    const bitsOf = async (name: string): Promise<unknown[]> => {
      const recipe = listConvNetRecipes({ calibrated: true }).find((each) => each.name === name)!;
      const steps = listTransforms(widenLayers(recipe, ['y']), { convNet });
      const { graph } = (await runPasses(net, steps)).model;
      return ['a', 'y'].map((layer) => {
        const tensor = graph.initializers.get(`${layer}.weight.quantized`);
        if (tensor === undefined) return 'float';
        const values = typedData(tensor as Tensor & { kind: 'dense'; dtype: 'int8' });
        return Math.max(...values.map(Math.abs)) > 64 ? 8 : 7;
      });
    };
    expect(await bitsOf('w7a8-static')).toEqual([7, 8]);
    expect(await bitsOf('w8a8-static')).toEqual([8, 'float']);
  });

  it('comes to another recipe when all layers are wide', () => {
    const all = [...listRecipes({ calibrated: true }), ...listConvNetRecipes({ calibrated: true })];
    const widest = all
      .filter(canWiden)
      .map((recipe) =>
        all.find(({ steps }) => JSON.stringify(steps) === JSON.stringify(widestSteps(recipe))),
      );
    expect(widest.map((recipe) => recipe?.name)).toEqual([
      'w7a8-dynamic',
      'w7a8-static',
      'w7a8-static',
      'float32',
      'float32',
      'w8a8-static',
    ]);
  });

  it('is for what has few bits, and was not pruned', () => {
    const recipes = [
      ...listRecipes({ calibrated: true }),
      ...listConvNetRecipes({ calibrated: true }),
      ...listPrunedRecipes(['heads']),
    ];
    expect(recipes.filter(canWiden).map(({ name }) => name)).toEqual([
      'w7a8-dynamic+int4-embeddings+int4-weights',
      'w7a8-static+int4-embeddings+int4-weights',
      'w7a8-static+int4-embeddings+int3-weights',
      'w8a8-static',
      'w8a8-static-minmax',
      'w7a8-static',
    ]);
  });

  it('ranks layers by the noise that each of their weights makes', () => {
    const layers = [
      { layer: 'wide and noisy', signalToNoiseDb: 20, weights: 1000 },
      { layer: 'quiet', signalToNoiseDb: 40, weights: 100 },
      { layer: 'small and noisy', signalToNoiseDb: 20, weights: 100 },
    ].map((each) => ({ ...each, bits: 4 as const }));
    expect(rankLayers(layers)).toEqual(['small and noisy', 'wide and noisy', 'quiet']);
  });
});
