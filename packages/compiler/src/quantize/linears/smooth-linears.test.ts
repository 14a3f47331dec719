import { seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { float32Tensor, parseModel, typedData, type Float32Tensor, type Model } from '../../ir/index.ts';
import { evaluateModel } from '../../ops/index.ts';
import { runPasses } from '../../rewrite/index.ts';
import {
  observeActivations,
  type ActivationRunner,
  type ActivationStatistics,
} from '../statistics/calibrate.ts';
import { quantizeLinears } from './quantize-linears.ts';
import { smoothLinears, type SmoothingEffect } from './smooth-linears.ts';

/** Normalization before each part, so that only layers read it; `last` is added to something too. */
const BLOCK = `ir 8
opset ai.onnx 18
opset edgewise 1

graph main {
  input x: float32[1,6,16]
  constant g1: float32[16] random(1)
  constant b1: float32[16] random(2)
  constant wq: float32[16,16] random(3)
  constant wk: float32[16,16] random(4)
  constant wv: float32[16,16] random(5)
  constant bv: float32[16] random(6)
  constant wo: float32[16,16] random(7)
  constant g2: float32[16] random(8)
  constant b2: float32[16] random(9)
  constant w1: float32[16,32] random(10)
  constant c1: float32[32] random(11)
  constant w2: float32[32,16] random(12)
  constant g3: float32[16] random(13)
  constant b3: float32[16] random(14)
  constant w3: float32[16,16] random(15)
  n1 = edgewise.LayerNorm(x, g1, b1) epsilon=1e-5
  q = edgewise.Linear(n1, wq) activation="none"
  k = edgewise.Linear(n1, wk) activation="none"
  v = edgewise.Linear(n1, wv, bv) activation="none"
  att = edgewise.Attention(q, k, v) num_heads=4 scale=0.5
  o = edgewise.Linear(att, wo) activation="none"
  n2 = edgewise.AddLayerNorm(o, x, g2, b2) epsilon=1e-5
  h = edgewise.Linear(n2, w1, c1) activation="relu"
  f = edgewise.Linear(h, w2) activation="none"
  last = edgewise.AddLayerNorm(f, o, g3, b3) epsilon=1e-5
  l = edgewise.Linear(last, w3) activation="gelu"
  y = Add(l, last)
  output y: float32[1,6,16]
}`;

/** What each name's features, given in the last axis, are multiplied by. */
const OUTLIERS: Readonly<Record<string, number>> = { g1: 3, wv: 5, bv: 5, g2: 7, w1: 20, c1: 20 };

function block(outlier: number): Model {
  const model = parseModel(BLOCK);
  const { initializers } = model.graph;
  for (const [name, feature] of Object.entries(OUTLIERS)) {
    const tensor = initializers.get(name) as Float32Tensor;
    const width = tensor.dims.at(-1) ?? 1;
    const data = typedData(tensor).map((w, at) => (at % width === feature ? outlier * w : w));
    initializers.set(name, float32Tensor(tensor.dims, data));
  }
  return model;
}

const random = seededRandom(21);
const SAMPLES = Array.from(
  { length: 12 },
  () => new Map([['x', float32Tensor([1, 6, 16], random.normal(96))]]),
);

async function observe(model: Model): Promise<ActivationStatistics> {
  const run: ActivationRunner = (sample, want, emit) => {
    for (const [name, tensor] of evaluateModel(model, sample, { want })) emit(name, tensor);
  };
  return observeActivations(model, run, SAMPLES, { extremes: true });
}

function outputsOf(model: Model): number[] {
  return SAMPLES.flatMap((sample) => [...typedData(evaluateModel(model, sample).get('y') as Float32Tensor)]);
}

/** Signal-to-noise ratio of the outputs, dB. */
function ratio(expected: readonly number[], actual: readonly number[]): number {
  const signal = expected.reduce((sum, x) => sum + x * x, 0);
  const noise = expected.reduce((sum, x, i) => sum + (x - actual[i]!) ** 2, 0);
  return 10 * Math.log10(signal / noise);
}

async function quantizedRatio(model: Model, expected: readonly number[]): Promise<number> {
  const { ranges } = await observe(model);
  const pass = quantizeLinears({ weightBits: 8, activations: 'static', ranges });
  return ratio(expected, outputsOf((await runPasses(model, [pass])).model));
}

async function smooth(model: Model, effects: SmoothingEffect[] = []): Promise<Model> {
  const onValue = (effect: SmoothingEffect): void => void effects.push(effect);
  const pass = smoothLinears({ statistics: await observe(model), weightBits: 8, onValue });
  return (await runPasses(model, [pass])).model;
}

describe('smoothLinears', () => {
  it('keeps the outputs, and outlying features no longer cost the others their levels', async () => {
    const model = block(40);
    const expected = outputsOf(model);
    const effects: SmoothingEffect[] = [];
    const smoothed = await smooth(model, effects);
    expect(ratio(expected, outputsOf(smoothed))).toBeGreaterThan(110);
    expect(effects.map(({ value, layers }) => [value, layers])).toEqual([
      ['n1', ['q', 'k', 'v']],
      ['att', ['o']],
      ['n2', ['h']],
      ['h', ['f']],
    ]);
    for (const { gainDb, strength } of effects) {
      expect(gainDb).toBeGreaterThan(3);
      expect(strength).toBeGreaterThan(0);
    }
    const [before, after] = [await quantizedRatio(model, expected), await quantizedRatio(smoothed, expected)];
    expect(after - before).toBeGreaterThan(6);
  });

  it('leaves alone what is added to something, and values without statistics', async () => {
    const model = block(40);
    const smoothed = await smooth(model);
    for (const name of ['g3', 'b3', 'w3'])
      expect(smoothed.graph.initializers.get(name)).toBe(model.graph.initializers.get(name));
    const statistics = { ranges: new Map(), moments: new Map(), extremes: new Map() };
    expect((await runPasses(model, [smoothLinears({ statistics })])).steps[0]?.edits).toBe(0);
  });

  it('expects the gain that there is', async () => {
    // One layer, one outlying feature: the error of its output is all there is.
    const model = parseModel(`ir 8
opset ai.onnx 18
opset edgewise 1

graph main {
  input x: float32[1,6,16]
  constant g: float32[16] {30, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}
  constant b: float32[16] random(1)
  constant w: float32[16,16] random(2)
  n = edgewise.LayerNorm(x, g, b) epsilon=1e-5
  y = edgewise.Linear(n, w) activation="none"
  output y: float32[1,6,16]
}`);
    const expected = outputsOf(model);
    const effects: SmoothingEffect[] = [];
    const smoothed = await smooth(model, effects);
    const gain = (await quantizedRatio(smoothed, expected)) - (await quantizedRatio(model, expected));
    expect(gain).toBeGreaterThan(5);
    expect(Math.abs(effects[0]!.gainDb - gain)).toBeLessThan(2.5);
  });

  it('refuses other bits, and statistics without extremes', () => {
    const statistics = { ranges: new Map(), moments: new Map(), extremes: new Map() };
    expect(() => smoothLinears({ statistics, weightBits: 4 as 7 })).toThrow(
      /weightBits must be 7 or 8, got 4/,
    );
    const { ranges, moments } = statistics;
    expect(() => smoothLinears({ statistics: { ranges, moments } })).toThrow(/without extremes/);
  });
});
