import { describe, expect, it } from 'vitest';
import { evaluation, TABLE, recipes, table } from '../../test/search-table.ts';
import { CompilerError } from '../diagnostics/index.ts';
import { listConvNetRecipes, type Recipe } from './recipe.ts';
import { searchBudget, type SearchOptions } from './search-budget.ts';
import { widenedLayers } from './widen-layers.ts';

describe('searchBudget with layers that can be widened', () => {
  const NARROW: Recipe = {
    name: 'narrow',
    steps: [
      { name: 'quantize-weights-int4', options: { weightBits: 4, computeBits: 7, activations: 'dynamic' } },
    ],
  };
  const LAYERS = Array.from({ length: 12 }, (_, i) => `layer${i}`);

  /** In 4 bits, layer i loses 2⁻ⁱ points and has 10 bytes; in 8, nothing and 20. */
  function withLayers(log: string[], more: Partial<SearchOptions<string>> = {}): SearchOptions<string> {
    return table(log, {
      recipes: [...recipes.filter(({ name }) => name !== 'int4' && name !== 'slow8'), NARROW],
      layersToWiden: () => Promise.resolve(LAYERS),
      measure: (_, { recipe: { name, steps } }) => {
        const [first] = steps;
        if (first?.name !== 'quantize-weights-int4') return Promise.resolve(TABLE[name]!);
        const wide = first.options.except ?? [];
        const losses = LAYERS.map((layer, i) => (wide.includes(layer) ? 0 : 0.01 * 2 ** -i));
        const drop = losses.reduce((sum, loss) => sum + loss, 0);
        return Promise.resolve(evaluation(120 + 10 * wide.length, 2, 0.8 - drop, drop));
      },
      ...more,
    });
  }

  it('adds the candidate with the fewest wider layers that keeps within the drop, after few attempts', async () => {
    const log: string[] = [];
    // Layers from the fifth on lose 0.125 points together.
    const result = await searchBudget(withLayers(log, { budget: { drop: 0.001_25 } }));
    expect(log.filter((line) => line.startsWith('build narrow'))).toEqual([
      'build narrow',
      'build narrow-mixed-1',
      'build narrow-mixed-2',
      'build narrow-mixed-4',
      'build narrow-mixed-3',
    ]);
    expect(result.mixed).toEqual({
      base: 'narrow',
      refused: false,
      layers: 12,
      tried: [1, 2, 4, 3],
      widened: ['layer0', 'layer1', 'layer2', 'layer3'],
    });
    expect(result.candidates.map(({ recipe }) => recipe.name)).toEqual([
      'original',
      'float',
      'int8',
      'narrow',
      'narrow-mixed-4',
    ]);
    expect(result.chosen).toBe('<narrow-mixed-4>');
  });

  it('says when no set of layers is enough', async () => {
    const { mixed, choice } = await searchBudget(withLayers([], { budget: { drop: 0 } }));
    expect(mixed).toEqual({ base: 'narrow', refused: false, layers: 12, tried: [1, 2, 4, 8, 10, 11] });
    expect(choice.name).toBe('float');
  });

  it('is done when no layers can be named', async () => {
    const layersToWiden = (): Promise<readonly string[]> => Promise.resolve([]);
    const { mixed } = await searchBudget(withLayers([], { budget: { drop: 0 }, layersToWiden }));
    expect(mixed).toBeUndefined();
  });

  it('goes on past a set that cannot be built', async () => {
    const build: SearchOptions<string>['build'] = ({ name }) => {
      if (name === 'narrow-mixed-4') throw new CompilerError('unsupported', 'no');
      return Promise.resolve({ artifact: name, contentHash: name, shippable: name !== 'original' });
    };
    const { mixed, refused } = await searchBudget(withLayers([], { budget: { drop: 0.001_25 }, build }));
    expect(mixed?.tried).toEqual([1, 2, 4, 8, 6, 5]);
    expect(refused.map(({ recipe }) => recipe.name)).toEqual(['narrow-mixed-4']);
  });

  describe('of a convolutional network', () => {
    const [ORIGINAL, FLOAT, W8, MINMAX, W7] = listConvNetRecipes({ calibrated: true }) as [
      Recipe,
      ...Recipe[],
    ];
    const [int8, other, seven] = [W8!.name, MINMAX!.name, W7!.name];

    /** Layer i alone costs 0.01·2⁻ⁱ: what of it is left is the drop. */
    function dropOf({ steps }: Recipe, drop: number): number {
      const wide = widenedLayers(steps);
      return LAYERS.reduce((sum, layer, i) => (wide.has(layer) ? sum - 0.01 * 2 ** -i : sum), drop);
    }

    /** Drops by the start of the recipe's name; the guard refuses what has NaN, until the first two layers are wide. */
    function convNet(asked: string[], drops: Readonly<Record<string, number>>): SearchOptions<string> {
      const lossOf = ({ name, steps }: Recipe): number => {
        const [base = ''] = name.split('-mixed');
        const loss = drops[base] ?? 0;
        return Number.isNaN(loss) && widenedLayers(steps).size >= 2 ? 0.001 : loss;
      };
      return table([], {
        recipes: [ORIGINAL, FLOAT!, W8!, MINMAX!, W7!],
        budget: { drop: 0.002 },
        layersToWiden: ({ name }) => {
          asked.push(name);
          return Promise.resolve(LAYERS);
        },
        build: (recipe) => {
          if (Number.isNaN(lossOf(recipe))) throw new CompilerError('numeric-check', 'broken');
          const { name } = recipe;
          return Promise.resolve({ artifact: name, contentHash: name, shippable: name !== 'original' });
        },
        measure: (_, { recipe }) => {
          const drop = dropOf(recipe, lossOf(recipe));
          const narrow = recipe.name.startsWith('w7') ? 200 : 250;
          const size = recipe.steps.length < 2 ? 900 : narrow + widenedLayers(recipe.steps).size;
          return Promise.resolve(evaluation(size, 2, 0.8 - drop, drop));
        },
      });
    }

    it('gives 8 bits to layers of the one with 7, where 8 bits keep within the drop', async () => {
      const asked: string[] = [];
      const { mixed, candidates, choice } = await searchBudget(convNet(asked, { [seven]: 0.02 }));
      expect(asked).toEqual([seven]);
      // Without the first four layers' 1.875 points it loses 0.125, without three 0.25.
      expect(mixed).toMatchObject({ base: seven, refused: false, tried: [1, 2, 4, 3] });
      expect(choice.name).toBe(`${seven}-mixed-4`);
      const step = candidates.at(-1)?.recipe.steps.at(-1);
      expect(step).toMatchObject({ options: { weightBits: 7, eightBits: LAYERS.slice(0, 4) } });
    });

    it('takes the smaller download of two that lose as much', async () => {
      const asked: string[] = [];
      const drops = { [int8]: 0.01, [other]: 0.01, [seven]: 0.01 };
      const options = convNet(asked, drops);
      const measure: SearchOptions<string>['measure'] = async (built, context) => {
        const measured = await options.measure(built, context);
        // A little slower, and smaller.
        return context.recipe.name === other
          ? evaluation(230, 3, measured.metric.value, measured.drop.value)
          : measured;
      };
      await searchBudget({ ...options, measure });
      expect(asked).toEqual([other]);
    });

    it('leaves layers of the one with 8 bits float, where it loses too much itself', async () => {
      const asked: string[] = [];
      const drops = { [int8]: 0.01, [other]: 0.02, [seven]: 0.005 };
      const { mixed, candidates } = await searchBudget(convNet(asked, drops));
      expect(asked).toEqual([int8]);
      expect(mixed).toMatchObject({ base: int8, widened: ['layer0'] });
      expect(candidates.at(-1)?.recipe.steps.at(-1)).toMatchObject({
        options: { weightBits: 8, except: ['layer0'] },
      });
    });

    it('leaves layers float where all were refused because they no longer follow the float model', async () => {
      const asked: string[] = [];
      const drops = { [int8]: NaN, [other]: NaN, [seven]: NaN };
      const { mixed, refused, choice } = await searchBudget(convNet(asked, drops));
      expect(asked).toEqual([int8]);
      expect(mixed).toEqual({
        base: int8,
        refused: true,
        layers: 12,
        tried: [1, 2],
        widened: ['layer0', 'layer1'],
      });
      expect(choice.name).toBe(`${int8}-mixed-2`);
      expect(refused.map(({ recipe }) => recipe.name)).toEqual([int8, other, seven, `${int8}-mixed-1`]);
    });

    it('lets a refused one be where another of its kind is good enough', async () => {
      const asked: string[] = [];
      const { mixed } = await searchBudget(convNet(asked, { [int8]: NaN }));
      expect(mixed).toBeUndefined();
      expect(asked).toEqual([]);
    });
  });

  it.each([
    ['no drop was given', {}, undefined],
    ['it loses little enough', { drop: 0.02 }, undefined],
    ['what meets the budget is as small', { drop: 0.01 }, evaluation(300, 2, 0.76, 0.04)],
  ])('asks for no layers when %s', async (_, budget, narrow) => {
    let asked = false;
    const options = withLayers([], {
      budget,
      layersToWiden: () => {
        asked = true;
        return Promise.resolve(LAYERS);
      },
    });
    const measure: SearchOptions<string>['measure'] = (built, context) =>
      narrow && context.recipe === NARROW ? Promise.resolve(narrow) : options.measure(built, context);
    const { mixed } = await searchBudget({ ...options, measure });
    expect(mixed).toBeUndefined();
    expect(asked).toBe(false);
  });
});
