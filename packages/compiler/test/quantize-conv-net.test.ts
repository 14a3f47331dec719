import { seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { writeOnnx } from '../src/import/onnx/index.ts';
import { float32Tensor, parseModel, typedData, type Model, type Tensor } from '../src/ir/index.ts';
import { evaluateModel, inferTypes } from '../src/ops/index.ts';
import {
  fuseQuantized,
  observeConvNet,
  quantizeConvNet,
  separateActivations,
  type ActivationRunner,
  type LayerEffect,
  type QuantizeConvNetOptions,
} from '../src/quantize/index.ts';
import { operatorName, runPasses, type RunPassesResult } from '../src/rewrite/index.ts';
import { expandEdgewise } from '../src/targets/onnx/index.ts';
import { stringAttribute } from '../src/transforms/node-attributes.ts';
import { runOnnx } from './onnxruntime.ts';

/** A residual block, a join, a resize, a gate and a classifier: what every operator of the quantized form is needed for. */
const NETWORK = `ir 8
opset ai.onnx 18
opset edgewise 1

graph main {
  input x: float32[1,3,8,8]
  constant w1: float32[8,3,3,3] random(1)
  constant b1: float32[8] random(2)
  constant w2: float32[8,1,3,3] random(3)
  constant w3: float32[8,8,1,1] random(4)
  constant w4: float32[8,8,1,1] random(5)
  constant w5: float32[16,5] random(6)
  constant w6: float32[16,16,1,1] random(7)
  constant b5: float32[5] random(8)
  constant scales: float32[4] {1, 1, 2, 2}
  a = edgewise.Conv(x, w1, b1) activation="clip" min=0.0 max=6.0 pads=[1, 1, 1, 1]
  b = edgewise.Conv(a, w2) activation="relu" group=8 pads=[1, 1, 1, 1]
  c = edgewise.Conv(b, w3) activation="none"
  d = Add(a, c)
  e = Relu(d)
  f = MaxPool(e) kernel_shape=[2, 2] strides=[2, 2]
  g = Resize(f, _, scales) mode="nearest" coordinate_transformation_mode="asymmetric" nearest_mode="floor"
  h = edgewise.Conv(e, w4) activation="silu"
  i = Concat(g, h) axis=1
  j = edgewise.Conv(i, w6) activation="hard_sigmoid" alpha=0.2 beta=0.5
  k = Mul(i, j)
  l = GlobalAveragePool(k)
  m = Flatten(l)
  n = edgewise.Linear(m, w5, b5) activation="none"
  y = Softmax(n)
  output y: float32[1,5]
}`;

const random = seededRandom(1);
const SAMPLES = Array.from(
  { length: 8 },
  () => new Map([['x', float32Tensor([1, 3, 8, 8], random.normal(192))]]),
);

const run: ActivationRunner = (sample, want, emit) => {
  for (const [name, tensor] of evaluateModel(separated(), sample, { want })) emit(name, tensor);
};

function separated(): Model {
  const model = parseModel(NETWORK);
  separateActivations().apply(model);
  return model;
}

async function quantized(options: Partial<QuantizeConvNetOptions> = {}): Promise<Model> {
  const statistics = await observeConvNet(separated(), run, SAMPLES);
  return (await runPasses(separated(), [quantizeConvNet({ statistics, ...options })])).model;
}

async function outputOf(model: Model, sample: ReadonlyMap<string, Tensor>): Promise<Float32Array> {
  const x = sample.get('x');
  if (x?.kind !== 'dense') throw new Error('no input');
  // Without VNNI, onnxruntime's 8-bit products saturate otherwise; what makes them exact is one of its optimisations.
  const exact = {
    graphOptimizationLevel: 'all',
    extra: { session: { x64quantprecision: '1' } },
  } as const;
  const outcome = await runOnnx(writeOnnx(expandEdgewise(model)).bytes, new Map([['x', x]]), exact);
  if (!('outputs' in outcome)) throw new Error(outcome.failure);
  return Object.values(outcome.outputs)[0]?.data as Float32Array;
}

/** Largest difference of a probability from float over the samples. */
async function worstError(model: Model): Promise<number> {
  let worst = 0;
  for (const sample of SAMPLES) {
    const reference = evaluateModel(separated(), sample).get('y') as Tensor & {
      kind: 'dense';
      dtype: 'float32';
    };
    const actual = await outputOf(model, sample);
    for (const [i, expected] of typedData(reference).entries())
      worst = Math.max(worst, Math.abs((actual[i] ?? NaN) - expected));
  }
  return worst;
}

describe('separateActivations', () => {
  it('leaves a valid graph with the same outputs', async () => {
    const passes = [separateActivations()];
    const result = await runPasses(parseModel(NETWORK), passes, {
      samples: SAMPLES,
      evaluate: evaluateModel,
    });
    expect(result.steps.map(({ edits, rolledBack }) => [edits, rolledBack])).toEqual([[2, false]]);
  });
});

describe('quantizeConvNet', () => {
  it('gives the operator-oriented form', async () => {
    expect((await quantized()).graph.nodes.map(operatorName)).toEqual([
      'QuantizeLinear',
      'QLinearConv',
      'QLinearConv',
      'QLinearConv',
      'com.microsoft.QLinearAdd',
      'MaxPool',
      'Resize',
      'QLinearConv',
      'DequantizeLinear',
      'com.microsoft.QuickGelu',
      'QuantizeLinear',
      'com.microsoft.QLinearConcat',
      'QLinearConv',
      'DequantizeLinear',
      'HardSigmoid',
      'QuantizeLinear',
      'com.microsoft.QLinearMul',
      'com.microsoft.QLinearGlobalAveragePool',
      'Flatten',
      'com.microsoft.QGemm',
      'Softmax',
    ]);
  });

  it('stays near float in onnxruntime, with 8 and with 7 bits', async () => {
    const [eight, seven] = [
      await worstError(await quantized()),
      await worstError(await quantized({ weightBits: 7 })),
    ];
    expect(eight).toBeLessThan(0.05);
    expect(seven).toBeLessThan(0.1);
  });

  it('is understood by the reference evaluator: types of all values, and the outputs of onnxruntime', async () => {
    const model = await quantized();
    const { types } = inferTypes(model);
    const values = model.graph.nodes.flatMap(({ outputs }) => outputs);
    expect(
      values.filter((value) => types.get(value)?.shape?.every((dim) => typeof dim === 'number') !== true),
    ).toEqual([]);
    for (const sample of SAMPLES) {
      const actual = await outputOf(model, sample);
      const reference = evaluateModel(model, sample).get('y') as Tensor & { kind: 'dense'; dtype: 'float32' };
      // A byte that falls on a half may be rounded the other way on its way through the network.
      for (const [i, expected] of typedData(reference).entries())
        expect(Math.abs((actual[i] ?? NaN) - expected)).toBeLessThan(0.02);
    }
  });

  it('keeps the weights of 7 bits on their grid and says what it did to each layer', async () => {
    const layers: LayerEffect[] = [];
    const model = await quantized({ weightBits: 7, onLayer: (layer) => layers.push(layer) });
    expect(layers.map(({ operator, bits }) => [operator, bits])).toEqual([
      ...Array.from({ length: 5 }, () => ['Conv', 7]),
      ['Linear', 7],
    ]);
    const weights = [...model.graph.initializers].filter(([name]) => name.endsWith('.weight.quantized'));
    expect(weights.length).toBe(6);
    for (const [, tensor] of weights) {
      const values = typedData(tensor as Tensor & { kind: 'dense'; dtype: 'int8' });
      expect(Math.min(...values)).toBeGreaterThanOrEqual(-64);
      expect(Math.max(...values)).toBeLessThanOrEqual(63);
    }
  });

  it('rounds weights and biases alone, as floats, to see what they cost', async () => {
    const layers: LayerEffect[] = [];
    const onLayer = (layer: LayerEffect): void => void layers.push(layer);
    const rounded = await quantized({ weightBits: 7, activations: 'float', onLayer });
    expect(rounded.graph.nodes.map(operatorName)).toEqual(
      parseModel(NETWORK).graph.nodes.map((node) => operatorName(node)),
    );
    const static7 = await quantized({ weightBits: 7 });
    const constant = (model: Model, name: string): Float32Array | Int8Array | Int32Array =>
      typedData(model.graph.initializers.get(name) as Tensor & { kind: 'dense'; dtype: 'float32' | 'int8' });
    expect(layers.map(({ activations }) => activations)).toEqual(layers.map(() => undefined));
    const [first] = layers;
    const scale = constant(static7, `${first?.layer}.weight.scale`);
    const integers = constant(static7, `${first?.layer}.weight.quantized`);
    expect([...constant(rounded, `${first?.layer}.weight.rounded`)]).toEqual(
      [...integers].map((q, at) => Math.fround(q * (scale[Math.floor(at / 27)] ?? NaN))),
    );
    const [weights, all] = [await worstError(rounded), await worstError(static7)];
    expect(weights).toBeGreaterThan(0);
    expect(weights).toBeLessThan(all);
  });

  it.each([
    ['names', ['b', 'h.sum']],
    ['a test of the name', (layer: string): boolean => layer === 'b' || layer === 'h.sum'],
  ])('gives 8 bits to the layers that %s pick, where the others have 7', async (_, eightBits) => {
    const layers: LayerEffect[] = [];
    const onLayer = (layer: LayerEffect): void => void layers.push(layer);
    const model = await quantized({ weightBits: 7, eightBits, onLayer });
    expect(layers.filter(({ bits }) => bits === 8).map(({ layer }) => layer)).toEqual(['b', 'h.sum']);
    expect(layers.length).toBe(6);
    for (const { layer, bits } of layers) {
      const tensor = model.graph.initializers.get(`${layer}.weight.quantized`);
      const values = typedData(tensor as Tensor & { kind: 'dense'; dtype: 'int8' });
      expect(Math.max(...values.map(Math.abs)) > 64).toBe(bits === 8);
    }
  });

  it('rounds the weights of a filter together for less noise in the outputs of the layers', async () => {
    const noiseOf = async (rounding: 'nearest' | 'together'): Promise<number> => {
      let sum = 0;
      const onLayer = ({ noise = NaN }: LayerEffect): void => void (sum += noise);
      await quantized({ weightBits: 7, noiseLimit: 1, rounding, onLayer });
      return sum;
    };
    const [nearest, together] = [await noiseOf('nearest'), await noiseOf('together')];
    expect(together).toBeLessThan(0.9 * nearest);
  });

  it('leaves a layer float that it is told to, and still runs', async () => {
    const model = await quantized({ keepFloat: ['b'] });
    expect(model.graph.nodes.map(operatorName).filter((name) => name === 'edgewise.Conv')).toEqual([
      'edgewise.Conv',
    ]);
    expect(await worstError(model)).toBeLessThan(0.05);
  });

  it('gives float convolutions their activations back, and spells out what is left between bytes and floats', async () => {
    const model = await quantized({ keepFloat: ['h.sum', 'j.sum'] });
    const activations = model.graph.nodes
      .filter(({ opType }) => opType === 'Conv')
      .map((node) => stringAttribute(node, 'activation', ''));
    expect(activations).toEqual(['silu', 'hard_sigmoid']);
    expect(await worstError(model)).toBeLessThan(0.05);

    // i, a Concat, is float: h is a byte before its SiLU and a float after it.
    const mixed = await quantized({ keepFloat: ['i', 'k'] });
    const operators = mixed.graph.nodes.map(operatorName);
    expect(operators).toContain('Sigmoid');
    expect(operators).not.toContain('com.microsoft.QuickGelu');
    expect(await worstError(mixed)).toBeLessThan(0.05);
  });

  it('refuses other bits and limits', async () => {
    await expect(quantized({ weightBits: 4 as 7 })).rejects.toThrow(/weightBits must be 7 or 8/);
    await expect(quantized({ noiseLimit: -1 })).rejects.toThrow(/noiseLimit must be from 0 to 1, got -1/);
  });
});

/** Split, a Pad that spells its zero out, and average pooling between layers. */
const MOVES = `ir 8
opset ai.onnx 18
opset edgewise 1

graph main {
  input x: float32[1,3,8,8]
  constant w1: float32[8,3,1,1] random(1)
  constant w2: float32[8,4,1,1] random(2)
  constant w3: float32[4,4,1,1] random(3)
  constant pads: int64[8] {0, 0, 1, 1, 0, 0, 1, 1}
  constant zero: float32[] {0}
  a = edgewise.Conv(x, w1) activation="relu"
  b, c = Split(a) axis=1 num_outputs=2
  d = Pad(b, pads, zero)
  e = AveragePool(d) kernel_shape=[3, 3]
  f = edgewise.Conv(e, w2) activation="none"
  g = edgewise.Conv(c, w3) activation="none"
  output f: float32[1,8,8,8]
  output g: float32[1,4,8,8]
}`;

/** A first layer with filters of a thousand times the size of others, read by a depthwise layer. */
function unevenNetwork(): Model {
  const model = parseModel(`ir 8
opset ai.onnx 18
opset edgewise 1

graph main {
  input x: float32[1,3,8,8]
  constant w1: float32[8,3,3,3] random(1)
  constant w2: float32[8,1,3,3] random(2)
  constant w3: float32[8,8,1,1] random(3)
  constant w4: float32[4,8,1,1] random(4)
  a = edgewise.Conv(x, w1) activation="relu" pads=[1, 1, 1, 1]
  b = edgewise.Conv(a, w2) activation="relu" group=8 pads=[1, 1, 1, 1]
  c = edgewise.Conv(b, w3) activation="relu"
  y = edgewise.Conv(c, w4) activation="none"
  output y: float32[1,4,8,8]
}`);
  const scaled = (name: string, factor: (i: number) => number): void => {
    const tensor = model.graph.initializers.get(name) as Tensor & { kind: 'dense'; dtype: 'float32' };
    const values = typedData(tensor).map((w, i) => w * factor(i));
    model.graph.initializers.set(name, float32Tensor(tensor.dims, values));
  };
  scaled('w1', (i) => (i < 27 ? 1000 : 1));
  scaled('w2', (i) => (i < 9 ? 0.001 : 1));
  return model;
}

async function quantizedFrom(
  model: Model,
  options: Partial<QuantizeConvNetOptions> = {},
): Promise<RunPassesResult> {
  const runner: ActivationRunner = (sample, want, emit) => {
    for (const [name, tensor] of evaluateModel(model, sample, { want })) emit(name, tensor);
  };
  const statistics = await observeConvNet(model, runner, SAMPLES);
  return runPasses(model, [quantizeConvNet({ statistics, ...options })]);
}

/** Signal-to-noise ratio of the first output over the samples, dB. */
async function signalToNoise(float: Model, candidate: Model): Promise<number> {
  let [signal, noise] = [0, 0];
  for (const sample of SAMPLES) {
    const [reference] = evaluateModel(float, sample).values();
    const actual = await outputOf(candidate, sample);
    for (const [i, x] of typedData(reference as Tensor & { kind: 'dense'; dtype: 'float32' }).entries()) {
      signal += x ** 2;
      noise += (x - (actual[i] ?? NaN)) ** 2;
    }
  }
  return 10 * Math.log10(signal / noise);
}

describe('what moves values', () => {
  it('moves bytes, and runs in onnxruntime', async () => {
    const model = parseModel(MOVES);
    const { model: candidate } = await quantizedFrom(model, { noiseLimit: 1 });
    expect(candidate.graph.nodes.map(operatorName)).toEqual([
      'QuantizeLinear',
      'QLinearConv',
      'Split',
      'Pad',
      'com.microsoft.QLinearAveragePool',
      'QLinearConv',
      'DequantizeLinear',
      'QLinearConv',
      'DequantizeLinear',
    ]);
    expect(await signalToNoise(model, candidate)).toBeGreaterThan(30);
  });
});

describe('noise limits', () => {
  it('keep a layer float whose input 8 bits would drown, with the layer that makes it', async () => {
    const float = unevenNetwork();
    const { model: whole } = await quantizedFrom(float, { noiseLimit: 1 });
    const { model: mixed, diagnostics } = await quantizedFrom(float);
    expect(diagnostics.map(({ code, at }) => [code, at?.node])).toEqual([
      ['kept-float', 'a'],
      ['kept-float', 'b'],
    ]);
    expect(diagnostics[0]?.message).toMatch(/8 bits of 'a' would make \d+\.\d % of what b computes noise/);
    // Nothing is rounded between the two.
    expect(mixed.graph.nodes.map(operatorName).slice(0, 3)).toEqual([
      'edgewise.Conv',
      'edgewise.Conv',
      'QuantizeLinear',
    ]);
    expect(await signalToNoise(float, mixed)).toBeGreaterThan((await signalToNoise(float, whole)) + 10);
  });
});

/** As onnxruntime's quantize_static writes it, with a Relu that the output's range makes superfluous. */
const QDQ = `ir 8
opset ai.onnx 18

graph main {
  input x: float32[1,3,8,8]
  constant sx: float32[] {0.03}
  constant zx: uint8[] {128}
  constant w: int8[4,3,3,3] random(1)
  constant sw: float32[4] {0.002, 0.003, 0.001, 0.004}
  constant zw: int8[4] {0, 0, 0, 0}
  constant b: int32[4] {100, -200, 300, 0}
  constant sb: float32[4] {0.00006, 0.00009, 0.00003, 0.00012}
  constant sy: float32[] {0.04}
  constant zy: uint8[] {ZERO}
  xq = QuantizeLinear(x, sx, zx)
  xf = DequantizeLinear(xq, sx, zx)
  wf = DequantizeLinear(w, sw, zw) axis=0
  bf = DequantizeLinear(b, sb) axis=0
  c = Conv(xf, wf, bf)
  r = Relu(c)
  rq = QuantizeLinear(r, sy, zy)
  rf = DequantizeLinear(rq, sy, zy)
  p = MaxPool(rf) kernel_shape=[2, 2]
  pq = QuantizeLinear(p, sy, zy)
  y = DequantizeLinear(pq, sy, zy)
  output y: float32[1,4,5,5]
}`;

describe('fuseQuantized', () => {
  it('makes QLinearConv of Conv and Relu, and pools bytes', async () => {
    const before = parseModel(QDQ.replace('ZERO', '0'));
    const { model } = await runPasses(before, [fuseQuantized()]);
    expect(model.graph.nodes.map(operatorName)).toEqual([
      'QuantizeLinear',
      'QLinearConv',
      'MaxPool',
      'DequantizeLinear',
    ]);
    for (const sample of SAMPLES) {
      const [expected, actual] = [await outputOf(before, sample), await outputOf(model, sample)];
      // onnxruntime fuses the first one by itself, to the same operators.
      expect(actual).toEqual(expected);
    }
  });

  it('keeps a Relu that the range of the output does not stand for', async () => {
    const { model } = await runPasses(parseModel(QDQ.replace('ZERO', '10')), [fuseQuantized()]);
    expect(model.graph.nodes.map(operatorName)).toContain('Relu');
  });
});
