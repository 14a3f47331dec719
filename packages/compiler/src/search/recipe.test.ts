import { describe, expect, it } from 'vitest';
import { listTransforms } from './list-transforms.ts';
import { isPruneStep, listPrunedConvNetRecipes, listPrunedRecipes } from './pruned-recipes.ts';
import { listConvNetRecipes, listRecipes, listRecurrentNetRecipes } from './recipe.ts';

describe('listRecipes', () => {
  it('names every candidate once; static ones need calibration', () => {
    const names = listRecipes({ calibrated: true }).map(({ name }) => name);
    expect(names).toEqual([
      'original',
      'float32',
      'w8a8-dynamic',
      'w7a8-dynamic',
      'w8a8-static',
      'w7a8-static',
      'w7a8-dynamic+int4-embeddings',
      'w7a8-static+int4-embeddings',
      'w7a8-dynamic+int4-embeddings+int4-weights',
      'w7a8-static+int4-embeddings+int4-weights',
      'w7a8-static+int4-embeddings+int3-weights',
    ]);
    expect(listRecipes({ calibrated: false }).some(({ name }) => name.includes('static'))).toBe(false);
  });
});

describe('listConvNetRecipes', () => {
  it('needs calibration for int8', () => {
    const names = (calibrated: boolean): string[] =>
      listConvNetRecipes({ calibrated }).map(({ name }) => name);
    expect(names(true)).toEqual(['original', 'float32', 'w8a8-static', 'w8a8-static-minmax', 'w7a8-static']);
    expect(names(false)).toEqual(['original', 'float32']);
    const [, , int8 = { name: '', steps: [] }] = listConvNetRecipes({ calibrated: true });
    expect(() => listTransforms(int8)).toThrow('w8a8-static needs calibration examples');
  });
});

describe('listRecurrentNetRecipes', () => {
  it('quantizes LSTM and linear layers, the kept ones excepted', () => {
    const recipes = listRecurrentNetRecipes();
    expect(recipes.map(({ name }) => name)).toEqual(['original', 'float32', 'w8a8-dynamic', 'w7a8-dynamic']);
    const names = listTransforms(recipes[3] ?? recipes[0]!, { keepFloat: ['mel'] }).map(({ name }) => name);
    expect(names.slice(-2)).toEqual(['quantizeLstms', 'quantizeLinears']);
  });
});

describe('listPrunedConvNetRecipes', () => {
  it('prunes channels, then quantizes', () => {
    const recipes = listPrunedConvNetRecipes();
    expect(recipes.map(({ name }) => name)).toEqual([
      'channels-85+w8a8-static',
      'channels-85+w7a8-static',
      'channels-70+w8a8-static',
      'channels-70+w7a8-static',
    ]);
    const last = recipes.at(-1)!;
    expect(last.steps.map(({ name }) => name)).toEqual(['prune-channels', 'conv-net', 'quantize-conv-net']);
    expect(last.steps[0]).toMatchObject({ options: { macs: 0.7 } });
    expect(last.steps.filter(isPruneStep)).toHaveLength(1);
    expect(() => listTransforms(last)).toThrow('prune-channels looks at data and is no transform');
  });
});

describe('listPrunedRecipes', () => {
  it('tries each part by itself, then all of them with the smallest and the fastest quantization', () => {
    const names = listPrunedRecipes(['heads', 'vocabulary']).map(({ name }) => name);
    expect(names).toEqual([
      'vocabulary-99.9+w7a8-static',
      'heads-50+w7a8-static',
      'vocabulary-99.9+heads-50+w7a8-static+int4-embeddings+int3-weights',
      'vocabulary-99.9+heads-50+w7a8-static',
    ]);
  });

  it('prunes the vocabulary, then all parts of the encoder at once, then quantizes', () => {
    const all = listPrunedRecipes(['vocabulary', 'layers', 'heads', 'neurons']).at(-1)!;
    expect(all.steps.map(({ name }) => name)).toEqual([
      'prune-vocabulary',
      'prune-encoder',
      'edge-encoder',
      'quantize-linears',
      'quantize-embeddings',
    ]);
    expect(all.steps[1]).toMatchObject({ options: { layers: 5 / 6, heads: 0.5, neurons: 0.7 } });
  });

  it('has steps that are no transforms', () => {
    const [recipe] = listPrunedRecipes(['heads']);
    expect(() => listTransforms(recipe!)).toThrow('prune-encoder looks at data and is no transform');
    expect(recipe!.steps.filter(isPruneStep)).toHaveLength(1);
  });
});
