import { seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { CompilerError } from '../diagnostics/index.ts';
import type { Evaluation } from '../evaluate/index.ts';
import { float32Tensor, parseModel, typedData, type Tensor } from '../ir/index.ts';
import { evaluateModel } from '../ops/index.ts';
import { observeConvNet, separateActivations, type ActivationRunner } from '../quantize/index.ts';
import { runPasses } from '../rewrite/index.ts';
import { compactConvNet } from '../transforms/index.ts';
import { missedLimits } from './budget.ts';
import { choose, paretoFront } from './choose.ts';
import { listTransforms } from './list-transforms.ts';
import { isPruneStep, listPrunedConvNetRecipes, listPrunedRecipes } from './pruned-recipes.ts';
import { listConvNetRecipes, listRecipes, listRecurrentNetRecipes, type Recipe } from './recipe.ts';
import { searchBudget, type SearchOptions } from './search-budget.ts';
import { canWiden, rankLayers, widenedLayers, widenLayers, widestSteps } from './widen-layers.ts';

function evaluation(size: number, p50: number, metric: number, drop = 0): Evaluation {
  return {
    runner: 'table',
    examples: 4,
    metric: { name: 'accuracy', value: metric, low: metric, high: metric },
    drop: { value: drop, low: drop, high: drop },
    latencyMs: { p50, p95: 2 * p50 },
    coldStartMs: 1,
    peakMemoryBytes: 10 * size,
    downloadBytes: { raw: 2 * size, brotli: size },
    predictions: [1, 0],
    predictionsReused: false,
  };
}

const TABLE: Readonly<Record<string, Evaluation>> = {
  original: evaluation(1000, 5, 0.8),
  float: evaluation(900, 4, 0.8),
  int8: evaluation(300, 2, 0.79, 0.01),
  slow8: evaluation(301, 3, 0.78, 0.02),
  int4: evaluation(200, 2.5, 0.75, 0.05),
};
const recipes: readonly Recipe[] = Object.keys(TABLE).map((name) => ({ name, steps: [] }));
const contenders = Object.entries(TABLE)
  .slice(1)
  .map(([name, each]) => ({ name, evaluation: each }));

function table(log: string[], more: Partial<SearchOptions<string>> = {}): SearchOptions<string> {
  return {
    recipes,
    budget: { drop: 0.01 },
    build: ({ name }) => {
      log.push(`build ${name}`);
      return Promise.resolve({ artifact: `<${name}>`, contentHash: name, shippable: name !== 'original' });
    },
    measure: (_, { recipe: { name }, baseline, known }) => {
      const given = known ? `, knowing ${known.map(Number).join(' ')}` : '';
      log.push(`measure ${name} against ${baseline?.metric.value ?? 'nothing'}${given}`);
      return Promise.resolve({
        ...(TABLE[name] ?? evaluation(0, 0, 0)),
        predictionsReused: known !== undefined,
      });
    },
    ...more,
  };
}

describe('missedLimits', () => {
  it('names every broken limit with what was measured', () => {
    const budget = {
      downloadBytes: 299,
      latencyMs: { p50: 2, p95: 3 },
      peakMemoryBytes: 3000,
      drop: 0,
    };
    expect(missedLimits(budget, evaluation(300, 2, 0.8, 0.01))).toEqual([
      { limit: 'downloadBytes', allowed: 299, measured: 300 },
      { limit: 'latencyP95Ms', allowed: 3, measured: 4 },
      { limit: 'drop', allowed: 0, measured: 0.01 },
    ]);
    expect(missedLimits({}, evaluation(300, 2, 0.8))).toEqual([]);
    expect(missedLimits({ drop: 0.01 }, evaluation(1, 1, 1, 0.8 - 0.79))).toEqual([]);
  });
});

describe('paretoFront', () => {
  it('leaves out what another beats everywhere', () => {
    expect(paretoFront(contenders)).toEqual(['float', 'int8', 'int4']);
    const twin = { name: 'twin', evaluation: evaluation(300, 2, 0.79) };
    expect(paretoFront([...contenders, twin])).toContain('twin');
  });
});

describe('choose', () => {
  it('takes the smallest within the budget and says what it gave up', () => {
    expect(choose(contenders, { drop: 0.03 })).toEqual({
      name: 'int8',
      met: true,
      reasons: [
        'The smallest download of the 3 (of 4) candidates that meet the budget.',
        'float scores 1.00 points more but is larger.',
      ],
      relax: [],
    });
    expect(choose(contenders, {}).name).toBe('int4');
    expect(choose(contenders, {}).reasons[0]).toBe(
      'The smallest download of 4 candidates; no limit was given.',
    );
    expect(choose(contenders, {}).reasons).toContain('int8 is faster (1.25×) but larger.');
  });

  it('shows the nearest and what to relax when nothing fits', () => {
    // float misses size by 200 %, int8 misses nothing but the drop by 100 % of its limit
    expect(choose(contenders, { downloadBytes: 300, drop: 0.005 })).toMatchObject({
      name: 'int8',
      met: false,
      relax: [{ limit: 'drop', allowed: 0.005, measured: 0.01 }],
    });
  });
});

describe('searchBudget', () => {
  it('measures all against candidate 0 and hands over the chosen artifact', async () => {
    const log: string[] = [];
    const result = await searchBudget(table(log));
    expect(result.chosen).toBe('<int8>');
    expect(result.candidates.map(({ recipe, meetsBudget }) => [recipe.name, meetsBudget])).toEqual([
      ['original', true],
      ['float', true],
      ['int8', true],
      ['slow8', false],
      ['int4', false],
    ]);
    expect(log.slice(0, 4)).toEqual([
      'build original',
      'measure original against nothing',
      'build float',
      'measure float against 0.8',
    ]);
  });

  it('never ships candidate 0', async () => {
    const result = await searchBudget(table([], { budget: { downloadBytes: 1 } }));
    expect(result.choice).toMatchObject({ met: false, name: 'int4' });
  });

  it('keeps predictions in the cache, and nothing that belongs to a time', async () => {
    const store = new Map<string, unknown>([['int4', 'damaged']]);
    const written: string[] = [];
    const cache = {
      get: (key: string) => Promise.resolve(store.get(key)),
      set: (key: string, value: unknown) => {
        written.push(key);
        return Promise.resolve(void store.set(key, value));
      },
    };
    const controller = new AbortController();
    const onEvent: SearchOptions<string>['onEvent'] = (event) => {
      if (event.type === 'measured' && event.recipe === 'int8') controller.abort(new Error('stopped'));
    };
    const interrupted = searchBudget(table([], { cache, signal: controller.signal, onEvent }));
    await expect(interrupted).rejects.toThrow('stopped');
    const log: string[] = [];
    const result = await searchBudget(table(log, { cache }));
    expect(log.filter((line) => line.startsWith('measure'))).toEqual([
      'measure original against nothing, knowing 1 0',
      'measure float against 0.8, knowing 1 0',
      'measure int8 against 0.8, knowing 1 0',
      'measure slow8 against 0.8',
      'measure int4 against 0.8',
    ]);
    expect(result.choice.name).toBe('int8');
    expect(written).toEqual(['original', 'float', 'int8', 'slow8', 'int4']);
    for (const value of store.values()) expect(value).toEqual([1, 0]);
  });

  it('goes on without a recipe that this model refuses, but not without candidate 0', async () => {
    const refuse = (refused: string): Partial<SearchOptions<string>> => ({
      build: ({ name }) => {
        if (name === refused) throw new CompilerError('unsupported', `no ${name}`);
        return Promise.resolve({ artifact: name, contentHash: name, shippable: name !== 'original' });
      },
    });
    const result = await searchBudget(table([], refuse('int8')));
    expect(result.refused.map(({ recipe, error }) => [recipe.name, error.message])).toEqual([
      ['int8', 'no int8'],
    ]);
    expect(result.choice.name).toBe('float');
    await expect(searchBudget(table([], refuse('original')))).rejects.toThrow('no original');
  });

  it('measures what two recipes make alike once', async () => {
    const log: string[] = [];
    const build: SearchOptions<string>['build'] = ({ name }) => {
      const contentHash = name === 'slow8' ? 'int8' : name;
      return Promise.resolve({ artifact: name, contentHash, shippable: name !== 'original' });
    };
    const { candidates, refused } = await searchBudget(table(log, { build }));
    expect(candidates.map(({ recipe }) => recipe.name)).toEqual(['original', 'float', 'int8', 'int4']);
    expect(refused.map(({ recipe, error }) => [recipe.name, error.message])).toEqual([
      ['slow8', 'the same candidate as int8'],
    ]);
    expect(log.join()).not.toContain('measure slow8');
  });
});

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
