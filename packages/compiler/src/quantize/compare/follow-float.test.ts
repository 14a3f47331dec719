import { seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import {
  denseTensor,
  float32Tensor,
  parseModel,
  typedData,
  type Model,
  type Tensor,
} from '../../ir/index.ts';
import { evaluateModel } from '../../ops/index.ts';
import { runPasses } from '../../rewrite/index.ts';
import type { ActivationRunner, Sample } from '../statistics/calibrate.ts';
import { followFloat, type FollowReport } from './follow-float.ts';
import { observeConvNet } from '../conv-nets/observe-conv-net.ts';
import { quantizeConvNet } from '../conv-nets/quantize-conv-net.ts';

const modelWith = (tail: string): Model =>
  parseModel(`ir 8
opset ai.onnx 18
opset edgewise 1

graph main {
  input x: float32[1,3,8,8]
  constant w1: float32[8,3,3,3] random(1)
  constant w2: float32[8,8,1,1] random(2)
  constant w3: float32[8,8,1,1] random(3)
  constant w4: float32[8,5] random(4)
  constant b4: float32[5] random(5)
  a = edgewise.Conv(x, w1) activation="relu" pads=[1, 1, 1, 1]
  b = edgewise.Conv(a, w2) activation="relu"
  c = edgewise.Conv(b, w3) activation="relu"
  d = GlobalAveragePool(c)
  e = Flatten(d)
  y = edgewise.Linear(e, w4, b4) activation="none"
${tail}
}`);

const FLOAT = modelWith('  output y: float32[1,5]');

/** Images of this size of numbers. */
function images(count: number, seed: number, size = 1): Sample[] {
  const random = seededRandom(seed);
  return Array.from(
    { length: count },
    () => new Map([['x', float32Tensor([1, 3, 8, 8], random.normal(192, 0, size))]]),
  );
}

const runnerOf =
  (model: Model): ActivationRunner =>
  (sample, want, emit) => {
    for (const [name, tensor] of evaluateModel(model, sample, { want })) emit(name, tensor);
  };

async function quantized(samples: readonly Sample[] = images(8, 1), float = FLOAT): Promise<Model> {
  const statistics = await observeConvNet(float, runnerOf(float), samples);
  return (await runPasses(float, [quantizeConvNet({ statistics, noiseLimit: 1 })])).model;
}

function follow(candidate: Model, runCandidate = runnerOf(candidate)): Promise<FollowReport> {
  return followFloat({
    float: FLOAT,
    runFloat: runnerOf(FLOAT),
    candidate,
    runCandidate,
    samples: images(4, 2),
  });
}

function messageOf({ follows, diagnostics }: FollowReport): string {
  expect(follows).toBe(false);
  expect(diagnostics).toHaveLength(1);
  return diagnostics[0]?.message ?? '';
}

function weightName(model: Model, layer: string): string {
  const node = model.graph.nodes.find(({ outputs }) => outputs[0] === `${layer}.quantized`);
  return node?.inputs[3] ?? '';
}

describe('followFloat', () => {
  it('finds nothing wrong with a good candidate, and says how good each layer is', async () => {
    const report = await follow(await quantized());
    expect(report).toMatchObject({ follows: true, diagnostics: [] });
    expect(report.values.map(({ value }) => value)).toEqual(['x', 'a', 'b', 'c', 'd', 'e', 'y']);
    for (const { signalToNoiseDb } of report.values) expect(signalToNoiseDb).toBeGreaterThan(20);
  });

  it('a zeroed layer', async () => {
    const model = await quantized();
    const name = weightName(model, 'b');
    model.graph.initializers.set(name, denseTensor('int8', [8, 8, 1, 1], new Int8Array(64)));
    const report = await follow(model);
    expect(messageOf(report)).toMatch(
      /outputs 'y' no longer follow the float model: b \('b'\) has weights that are all zero/,
    );
    expect(report.diagnostics[0]?.at).toEqual({ value: 'b', node: 'b' });
    expect(report.values.find(({ value }) => value === 'b')?.isConstant).toBe(true);
  });

  it('swapped weights', async () => {
    const model = await quantized();
    const names = ['b', 'c'].map((layer) => weightName(model, layer));
    const [b, c] = names.map((name) => model.graph.initializers.get(name) as Tensor);
    model.graph.initializers.set(names[0]!, c!);
    model.graph.initializers.set(names[1]!, b!);
    expect(messageOf(await follow(model))).toMatch(/b \('b'\) has weights that are not the float layer's/);
  });

  it('calibration on another range: images of a hundredth, and of a hundred times the size', async () => {
    const dark = await follow(await quantized(images(8, 1, 0.01)));
    expect(messageOf(dark)).toMatch(
      /the input 'x' has a range of -0\.0\S* … 0\.0\S* where the float model reaches -\S+ … \S+: it was calibrated on other data/,
    );
    const bright = await follow(await quantized(images(8, 1, 100)));
    expect(messageOf(bright)).toMatch(
      /the input 'x' has a range of -\d+ … \d+ of which the float model uses -\S+ … \S+: it was calibrated on other data or on an outlier/,
    );
  });

  it('a range that was changed in the middle', async () => {
    const model = await quantized();
    const scale = typedData(
      model.graph.initializers.get('b.scale') as Tensor & { kind: 'dense'; dtype: 'float32' },
    )[0]!;
    model.graph.initializers.set('b.scale', float32Tensor([], [scale / 50]));
    expect(messageOf(await follow(model))).toMatch(
      /b \('b'\) has a range of 0 … \S+ where the float model reaches/,
    );
  });

  it('numbers that are not finite', async () => {
    const model = await quantized();
    const run: ActivationRunner = (sample, want, emit) => {
      for (const [name, tensor] of evaluateModel(model, sample, { want }))
        emit(name, name === 'y' ? float32Tensor([1, 5], [1, NaN, 2, 3, 4]) : tensor);
    };
    expect(messageOf(await follow(model, run))).toMatch(/y \('y'\) gives numbers that are not finite/);
  });

  it('outputs that are places, as many as there are: what they are found in is followed', async () => {
    const float = modelWith(`  constant boxes: float32[1,64,4] random(6)
  constant flat: int64[3] {1, 8, 64}
  constant most: int64[] {20}
  constant iou: float32[] {0.5}
  constant score: float32[] {1.5}
  constant column: int64[1] {2}
  m = ArgMax(y) axis=1
  scores = Reshape(c, flat)
  s = NonMaxSuppression(boxes, scores, most, iou, score)
  n = Gather(s, column) axis=1
  f = Cast(n) to=1
  output m: int64[1,1]
  output f: float32[k,1]`);
    const candidate = await quantized(images(8, 1), float);
    const compare = (runCandidate: ActivationRunner): Promise<FollowReport> =>
      followFloat({ float, runFloat: runnerOf(float), candidate, runCandidate, samples: images(4, 2) });
    const { follows, values } = await compare(runnerOf(candidate));
    expect(follows).toBe(true);
    const watched = values.map(({ value }) => value);
    expect(watched).toEqual(expect.arrayContaining(['y', 'scores']));
    expect(watched).not.toContain('m');
    expect(watched).not.toContain('f');
    const noisy: ActivationRunner = (sample, want, emit) =>
      runnerOf(candidate)(sample, want, (value, tensor) =>
        emit(value, value === 'scores' ? float32Tensor(tensor.dims, new Float32Array(512)) : tensor),
      );
    expect((await compare(noisy)).follows).toBe(false);
  });

  it('wants samples and all values', async () => {
    const model = await quantized();
    const options = {
      float: FLOAT,
      runFloat: runnerOf(FLOAT),
      candidate: model,
      runCandidate: runnerOf(model),
    };
    await expect(followFloat({ ...options, samples: [] })).rejects.toThrow(/at least one sample/);
    await expect(followFloat({ ...options, runCandidate: () => {}, samples: images(1, 3) })).rejects.toThrow(
      /did not hand over 'x.quantized'/,
    );
  });
});
