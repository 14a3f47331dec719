import { seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import {
  denseTensor,
  elementCount,
  float32Tensor,
  int64Tensor,
  typedData,
  type Attribute,
  type Model,
  type Node,
  type Tensor,
} from '../../ir/index.ts';
import { evaluateModel } from '../../ops/index.ts';
import { runPasses } from '../../rewrite/index.ts';
import { calibrate, observeActivations, type ActivationRunner } from '../statistics/calibrate.ts';
import type { LayerEffect } from '../layer-effect.ts';
import { quantizeEmbeddings } from './quantize-embeddings.ts';
import { quantizeLinears } from './quantize-linears.ts';
import { quantizeWeightsInt4, type QuantizeWeightsInt4Options } from './quantize-weights-int4.ts';

const [VOCABULARY, POSITIONS, WIDTH, INNER] = [50, 16, 64, 96];

function node(
  opType: string,
  name: string,
  inputs: readonly string[],
  values: Record<string, bigint | string | number> = {},
): Node {
  const attributes = new Map<string, Attribute>();
  for (const [key, value] of Object.entries(values)) {
    if (typeof value === 'bigint') attributes.set(key, { kind: 'int', value });
    else if (typeof value === 'number') attributes.set(key, { kind: 'float', value });
    else attributes.set(key, { kind: 'string', value: new TextEncoder().encode(value) });
  }
  return { name, opType, domain: 'edgewise', inputs, outputs: [`${name}.out`], attributes };
}

/** Embedding, one attention with a residual, a feed-forward part and a head: every compact operator once. */
function encoder(seed = 1): Model {
  const random = seededRandom(seed);
  const weights = (dims: number[], deviation: number): Tensor =>
    float32Tensor(dims, random.normal(elementCount(dims), 0, deviation));
  const initializers = new Map<string, Tensor>();
  const linear = (name: string, x: string, rows: number, columns: number, activation = 'none'): Node => {
    initializers.set(`${name}.weight`, weights([rows, columns], 1 / Math.sqrt(rows)));
    initializers.set(`${name}.bias`, weights([columns], 0.1));
    return node('Linear', name, [x, `${name}.weight`, `${name}.bias`], { activation });
  };
  initializers.set('word', weights([VOCABULARY, WIDTH], 0.5));
  initializers.set('position', weights([POSITIONS, WIDTH], 0.1));
  initializers.set('gamma', float32Tensor([WIDTH], random.normal(WIDTH, 1, 0.2)));
  initializers.set('beta', weights([WIDTH], 0.1));
  const normed = { epsilon: 1e-12 };
  const nodes = [
    node('EmbedLayerNorm', 'embed', ['ids', '', 'word', 'position', '', 'gamma', 'beta'], {
      ...normed,
      position: 'arange',
    }),
    linear('q', 'embed.out', WIDTH, WIDTH),
    linear('k', 'embed.out', WIDTH, WIDTH),
    linear('v', 'embed.out', WIDTH, WIDTH),
    node('Attention', 'attention', ['q.out', 'k.out', 'v.out', 'mask'], { num_heads: 4n, scale: 0.25 }),
    node('AddLayerNorm', 'norm', ['attention.out', 'embed.out', 'gamma', 'beta'], normed),
    linear('up', 'norm.out', WIDTH, INNER, 'gelu'),
    linear('head', 'up.out', INNER, 2),
  ];
  const shape = ['batch', 'sequence'];
  const type = { kind: 'tensor', dtype: 'int64', shape } as const;
  return {
    irVersion: 8,
    opsets: new Map([
      ['', 17],
      ['edgewise', 1],
    ]),
    producer: { name: 'test', version: '' },
    domain: '',
    modelVersion: 0n,
    metadata: new Map(),
    graph: {
      name: 'main',
      inputs: [
        { name: 'ids', type },
        { name: 'mask', type },
      ],
      outputs: [{ name: 'head.out', type: { kind: 'tensor', dtype: 'float32', shape: [...shape, 2] } }],
      nodes,
      initializers,
      valueInfo: new Map(),
    },
    functions: [],
  };
}

function sample(seed: number): Map<string, Tensor> {
  const random = seededRandom(seed);
  const length = random.int(3, POSITIONS);
  return new Map([
    [
      'ids',
      int64Tensor(
        [1, length],
        Array.from({ length }, () => random.int(0, VOCABULARY - 1)),
      ),
    ],
    [
      'mask',
      int64Tensor(
        [1, length],
        Array.from({ length }, () => 1),
      ),
    ],
  ]);
}

const samples = Array.from({ length: 8 }, (_, i) => sample(100 + i));

const runner: ActivationRunner = (inputs, want, emit) => {
  for (const [name, tensor] of evaluateModel(encoder(), inputs, { want })) emit(name, tensor);
};

/** Share of the signal that the change left alone, over all samples, in dB. */
function outputSqnr(actual: Model, expected: Model): number {
  let [signal, noise] = [0, 0];
  for (const inputs of samples) {
    const [a, e] = [actual, expected].map((model) =>
      floats(evaluateModel(model, inputs).get('head.out')),
    ) as [Float32Array, Float32Array];
    e.forEach((value, i) => {
      signal += value * value;
      noise += (value - a[i]!) ** 2;
    });
  }
  return 10 * Math.log10(signal / noise);
}

function floats(tensor: Tensor | undefined): Float32Array {
  if (tensor?.kind !== 'dense') throw new Error('not dense');
  return typedData({ ...tensor, dtype: 'float32' });
}

function linears(model: Model): Node[] {
  return model.graph.nodes.filter(({ opType }) => opType.endsWith('Linear'));
}

describe('quantizeLinears', () => {
  it.each([
    [7, 30],
    [8, 33],
  ] as const)('%i bits, dynamic', async (weightBits, sqnr) => {
    const layers: LayerEffect[] = [];
    const before = encoder();
    const { model, steps } = await runPasses(
      before,
      [quantizeLinears({ weightBits, onLayer: (layer) => layers.push(layer) })],
      { samples, evaluate: evaluateModel },
    );
    expect(steps.map(({ edits, rolledBack }) => ({ edits, rolledBack }))).toEqual([
      { edits: 5, rolledBack: false },
    ]);
    expect(linears(model).map(({ opType, inputs }) => [opType, inputs.length])).toEqual(
      Array.from({ length: 5 }, () => ['QuantizedLinear', 4]),
    );
    const up = linears(model)[3];
    expect(up?.inputs).toEqual(['norm.out', 'up.weight_quantized', 'up.weight_scale', 'up.bias']);
    expect(up?.attributes.get('weight_bits')).toEqual({ kind: 'int', value: BigInt(weightBits) });
    expect(up?.attributes.get('activation')).toEqual(linears(before)[3]?.attributes.get('activation'));
    expect(model.graph.initializers.has('up.weight')).toBe(false);
    expect(before.graph.initializers.has('up.weight')).toBe(true);
    expect(layers.map(({ layer, bits, activations }) => [layer, bits, activations])).toEqual(
      ['q', 'k', 'v', 'up', 'head'].map((layer) => [layer, weightBits, 'dynamic']),
    );
    expect(Math.min(...layers.map((layer) => layer.sqnrDb))).toBeGreaterThan(weightBits === 7 ? 36 : 41);
    expect(outputSqnr(model, before)).toBeGreaterThan(sqnr);
  });

  it('static: one grid per value, from calibration', async () => {
    const before = encoder();
    const ranges = await calibrate(before, runner, samples);
    expect([...ranges.keys()]).toEqual(['embed.out', 'norm.out', 'up.out']);
    const { model } = await runPasses(before, [quantizeLinears({ activations: 'static', ranges })]);
    expect(linears(model)[0]?.inputs.slice(4)).toEqual(['', 'embed.out_x_scale', 'embed.out_x_zero_point']);
    expect(linears(model)[1]?.inputs.slice(5)).toEqual(linears(model)[0]?.inputs.slice(5));
    expect(outputSqnr(model, before)).toBeGreaterThan(27);
  });

  it('keeps what it is told to keep, and names layers that do not exist', async () => {
    const pass = quantizeLinears({ keepFloat: ['head', 'q', 'haed'] });
    const { model, diagnostics } = await runPasses(encoder(), [pass]);
    expect(linears(model).map(({ opType }) => opType)).toEqual([
      'Linear',
      'QuantizedLinear',
      'QuantizedLinear',
      'QuantizedLinear',
      'Linear',
    ]);
    expect(diagnostics.map(({ code, at }) => [code, at?.node])).toEqual([['unknown-layer', 'haed']]);
    const none = await runPasses(encoder(), [quantizeLinears({ keepFloat: () => true })]);
    expect(none.steps[0]?.edits).toBe(0);
  });

  it('shares what a shared weight becomes', async () => {
    const model = encoder();
    model.graph.nodes = model.graph.nodes.map((n) =>
      n.name === 'k' ? { ...n, inputs: ['embed.out', 'q.weight', 'k.bias'] } : n,
    );
    const [q, k] = linears((await runPasses(model, [quantizeLinears()])).model);
    expect(k?.inputs).toEqual([...(q?.inputs.slice(0, 3) ?? []), 'k.bias']);
  });

  it('leaves a broken weight and a layer without a range, with a reason', async () => {
    const model = encoder();
    const broken = floats(model.graph.initializers.get('v.weight')).slice();
    broken[3] = NaN;
    model.graph.initializers.set('v.weight', denseTensor('float32', [WIDTH, WIDTH], broken));
    const ranges = new Map([['embed.out', { min: -3, max: 3 }]]);
    const result = await runPasses(model, [quantizeLinears({ activations: 'static', ranges })]);
    expect(result.diagnostics.map(({ code, at }) => [code, at?.node])).toEqual([
      ['kept-float', 'v'],
      ['no-range', 'up'],
      ['no-range', 'head'],
    ]);
    expect(linears(result.model)[2]?.opType).toBe('Linear');
  });

  it('refuses other options', () => {
    expect(() => quantizeLinears({ weightBits: 6 as 7 })).toThrow(/weightBits must be 7 or 8, got 6/);
    expect(() => quantizeLinears({ activations: 'static' })).toThrow(/need ranges/);
    expect(() => quantizeWeightsInt4({ activations: 'static' })).toThrow(/need ranges/);
    expect(() => quantizeWeightsInt4({ computeBits: 4 as 7 })).toThrow(/computeBits/);
    expect(() => quantizeWeightsInt4({ weightBits: 2 as 3 })).toThrow(/weightBits must be 3 or 4, got 2/);
    expect(() => quantizeWeightsInt4({ blockSize: 64 as 32 })).toThrow(/blockSize/);
    expect(() => quantizeEmbeddings({ bits: 2 as 4 })).toThrow(/bits must be 4 or 8/);
  });
});

describe('quantizeWeightsInt4', () => {
  it.each([7, 8] as const)('computes in %i bits', async (computeBits) => {
    const before = encoder();
    const { model, diagnostics } = await runPasses(before, [quantizeWeightsInt4({ computeBits })]);
    expect(diagnostics).toEqual([]);
    const up = linears(model)[3];
    const tensors = up?.inputs.slice(1).map((name) => model.graph.initializers.get(name));
    expect(tensors?.map((tensor) => [tensor?.dtype, tensor?.dims])).toEqual([
      ['int4', [64, 96]],
      ['float32', [96]],
      ['float32', [96]],
      ['uint8', [2, 96]],
    ]);
    expect(outputSqnr(model, before)).toBeGreaterThan(14);
  });

  it.each([
    ['int4', quantizeWeightsInt4, 3],
    [
      '3 bits',
      (options: QuantizeWeightsInt4Options) => quantizeWeightsInt4({ ...options, weightBits: 3 }),
      3,
    ],
    // The rounding of activations is most of what is left.
    ['7 bits', quantizeLinears, 1],
  ] as const)(
    '%s: second moments lower the error of the outputs, not of the weights',
    async (_, quantize, gain) => {
      const before = encoder(3);
      // Two loud features, as in trained encoders.
      const gamma = floats(before.graph.initializers.get('gamma')).slice();
      gamma[5] = 12;
      gamma[40] = -9;
      before.graph.initializers.set('gamma', denseTensor('float32', [WIDTH], gamma));
      const run: ActivationRunner = (inputs, want, emit) => {
        for (const [name, tensor] of evaluateModel(before, inputs, { want })) emit(name, tensor);
      };
      const { moments } = await observeActivations(before, run, samples);
      const effects: Record<string, LayerEffect[]> = { plain: [], aware: [] };
      const onLayer = (key: string) => (effect: LayerEffect) => void effects[key]?.push(effect);
      const plain = await runPasses(before, [quantize({ onLayer: onLayer('plain') })]);
      const aware = await runPasses(before, [quantize({ moments, onLayer: onLayer('aware') })]);
      expect(outputSqnr(aware.model, before)).toBeGreaterThan(outputSqnr(plain.model, before) + gain);
      expect(effects['aware']?.[0]?.sqnrDb).toBeLessThan(effects['plain']?.[0]?.sqnrDb ?? 0);
    },
  );
});

describe('quantizeEmbeddings', () => {
  it.each([
    [8, 'int8', 40, 34],
    [4, 'int4', 18, 15],
  ] as const)('%i bits', async (bits, dtype, table, output) => {
    const layers: LayerEffect[] = [];
    const before = encoder();
    const pass = quantizeEmbeddings({
      bits,
      positionBits: bits,
      onLayer: (layer) => layers.push(layer),
    });
    const { model } = await runPasses(before, [pass]);
    const embed = model.graph.nodes[0];
    expect(embed?.inputs).toEqual([
      'ids', '', 'word_quantized', 'position_quantized', '', 'gamma', 'beta', 'word_scale', 'position_scale',
    ]); // prettier-ignore
    expect(model.graph.initializers.get('word_quantized')).toMatchObject({
      dtype,
      dims: [VOCABULARY, WIDTH],
    });
    expect(layers.map(({ layer, method }) => [layer, method])).toEqual(
      ['embed.word', 'embed.position'].map((layer) => [layer, `per row, ${bits === 8 ? 'max' : 'mse'}`]),
    );
    expect(Math.min(...layers.map((layer) => layer.sqnrDb))).toBeGreaterThan(table);
    expect(outputSqnr(model, before)).toBeGreaterThan(output);
    expect((await runPasses(model, [pass])).steps[0]?.edits).toBe(0);
  });

  it('keeps positions in 8 bits unless told otherwise', async () => {
    const { model } = await runPasses(encoder(), [quantizeEmbeddings({ bits: 4 })]);
    const types = ['word_quantized', 'position_quantized'].map(
      (name) => model.graph.initializers.get(name)?.dtype,
    );
    expect(types).toEqual(['int4', 'int8']);
    expect(() => quantizeEmbeddings({ positionBits: 3 as 4 })).toThrow(/positionBits must be 4 or 8, got 3/);
  });

  it('leaves tables that it is told to, for another pass', async () => {
    const narrow = quantizeEmbeddings({ bits: 4, keepFloat: ['embed.word'] });
    const dtypes = ({ graph }: Model): unknown[] =>
      [2, 3].map((at) => graph.initializers.get(graph.nodes[0]?.inputs[at] ?? '')?.dtype);
    const { model } = await runPasses(encoder(), [narrow]);
    expect(dtypes(model)).toEqual(['float32', 'int8']);
    const { model: mixed } = await runPasses(model, [quantizeEmbeddings({ bits: 8 })]);
    expect(dtypes(mixed)).toEqual(['int8', 'int8']);
    expect(outputSqnr(mixed, encoder())).toBeGreaterThan(34);
  });

  it('reads tables whose bytes are not aligned', async () => {
    const model = encoder();
    const word = model.graph.initializers.get('word') as Tensor & { kind: 'dense' };
    const shifted = new Uint8Array(word.data.byteLength + 1);
    shifted.set(word.data, 1);
    model.graph.initializers.set('word', { ...word, data: shifted.subarray(1) });
    const pass = quantizeEmbeddings();
    const [a, b] = await Promise.all([runPasses(model, [pass]), runPasses(encoder(), [pass])]);
    expect(a.model.graph.initializers.get('word_quantized')).toEqual(
      b.model.graph.initializers.get('word_quantized'),
    );
  });
});

describe('calibrate', () => {
  it('is the range over all samples', async () => {
    const ranges = await calibrate(encoder(), runner, samples);
    const all = samples.flatMap((inputs) => [
      ...floats(evaluateModel(encoder(), inputs, { want: ['up.out'] }).get('up.out')),
    ]);
    expect(ranges.get('up.out')).toEqual({ min: Math.min(...all), max: Math.max(...all) });
  });

  it('second moments are those of the features', async () => {
    const { moments } = await observeActivations(encoder(), runner, samples);
    const rows = samples.flatMap((inputs) => {
      const data = floats(evaluateModel(encoder(), inputs, { want: ['norm.out'] }).get('norm.out'));
      return Array.from({ length: data.length / WIDTH }, (_, row) => data[row * WIDTH + 7]!);
    });
    const expected = rows.reduce((sum, x) => sum + x * x, 0) / rows.length;
    expect(moments.get('norm.out')).toMatchObject({ width: WIDTH, count: rows.length });
    // Rounded to 16 bits (co-moments.ts).
    expect(moments.get('norm.out')?.meanSquares()[7]).toBeCloseTo(expected, 4);
  });

  it('says what is missing', async () => {
    await expect(calibrate(encoder(), runner, [])).rejects.toThrow(/at least one sample/);
    const silent: ActivationRunner = () => {};
    await expect(calibrate(encoder(), silent, samples)).rejects.toThrow(/did not hand over 'embed.out'/);
    const bad: ActivationRunner = (_, want, emit) =>
      want.forEach((name) => emit(name, float32Tensor([1, 2], [0, NaN])));
    await expect(calibrate(encoder(), bad, samples)).rejects.toThrow(/sample 0, value 'embed.out': .*NaN/);
    const stop = AbortSignal.abort();
    await expect(calibrate(encoder(), runner, samples, { signal: stop })).rejects.toThrow(/stopped/);
  });
});
