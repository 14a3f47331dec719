import { seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { float32Tensor, parseModel, typedData, type Float32Tensor, type Model } from '../../ir/index.ts';
import { evaluateModel } from '../../ops/index.ts';
import { runPasses } from '../../rewrite/index.ts';
import type { ActivationRunner } from '../statistics/calibrate.ts';
import { equalizeLayers } from './equalize-layers.ts';
import { observeConvNet } from './observe-conv-net.ts';

/** `b` is read by two, so that only the pairs a–b and c–d can be evened out; e's input went through a SiLU. */
const NETWORK = `ir 8
opset ai.onnx 18
opset edgewise 1

graph main {
  input x: float32[1,3,6,6]
  constant w1: float32[8,3,3,3] random(1)
  constant b1: float32[8] random(2)
  constant w2: float32[8,1,3,3] random(3)
  constant w3: float32[6,8,1,1] random(4)
  constant w4: float32[4,3,1,1] random(5)
  constant w5: float32[4,4,1,1] random(6)
  a = edgewise.Conv(x, w1, b1) activation="relu" pads=[1, 1, 1, 1]
  b = edgewise.Conv(a, w2) activation="none" group=8 pads=[1, 1, 1, 1]
  c = edgewise.Conv(b, w3) activation="none"
  d = edgewise.Conv(c, w4) activation="silu" group=2
  e = edgewise.Conv(d, w5) activation="none"
  f = Relu(b)
  output e: float32[1,4,6,6]
  output f: float32[1,8,6,6]
}`;

function network(): Model {
  const model = parseModel(NETWORK);
  // Channels of very different size, as folded batch normalization leaves them.
  const w1 = typedData(model.graph.initializers.get('w1') as Float32Tensor).slice();
  model.graph.initializers.set(
    'w1',
    float32Tensor(
      [8, 3, 3, 3],
      w1.map((w, i) => w * 4 ** (Math.floor(i / 27) % 4)),
    ),
  );
  return model;
}

const random = seededRandom(9);
const SAMPLES = Array.from(
  { length: 4 },
  () => new Map([['x', float32Tensor([1, 3, 6, 6], random.normal(108))]]),
);

const runnerOf =
  (model: Model): ActivationRunner =>
  (sample, want, emit) => {
    for (const [name, tensor] of evaluateModel(model, sample, { want })) emit(name, tensor);
  };

/** Largest root mean square of a channel over the smallest. */
async function spreadOf(model: Model, value: string): Promise<number> {
  const seen = (await observeConvNet(model, runnerOf(model), SAMPLES)).get(value)!;
  const magnitudes = Array.from(seen.means, (mean, i) => Math.sqrt(mean ** 2 + seen.variances[i]!));
  return Math.max(...magnitudes) / Math.min(...magnitudes);
}

describe('equalizeLayers', () => {
  it('evens channels out and leaves the outputs', async () => {
    const before = network();
    const statistics = await observeConvNet(before, runnerOf(before), SAMPLES);
    const result = await runPasses(before, [equalizeLayers({ statistics })], {
      samples: SAMPLES,
      evaluate: evaluateModel,
    });
    expect(result.steps.map(({ edits, rolledBack }) => [edits, rolledBack])).toEqual([[2, false]]);
    // The second of a–b is depthwise: all channels become alike.
    expect(await spreadOf(before, 'a')).toBeGreaterThan(20);
    expect(await spreadOf(result.model, 'a')).toBeLessThan(1.01);
    expect(await spreadOf(result.model, 'c')).not.toBeCloseTo(await spreadOf(before, 'c'), 2);
    expect(await spreadOf(result.model, 'd')).toBeCloseTo(await spreadOf(before, 'd'), 3);
  });

  it('keeps factors below the largest, and says when that is none', async () => {
    const before = network();
    const statistics = await observeConvNet(before, runnerOf(before), SAMPLES);
    const { model } = await runPasses(before, [equalizeLayers({ statistics, largestFactor: 2 })]);
    expect(await spreadOf(model, 'a')).toBeGreaterThan((await spreadOf(before, 'a')) / 4.01);
    expect(() => equalizeLayers({ statistics, largestFactor: 0.5 })).toThrow(/at least 1, got 0.5/);
  });
});
