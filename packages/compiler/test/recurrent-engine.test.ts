import { readFileSync } from 'node:fs';
import { createSession, type Outputs, type SessionOptions } from '@edgewise/runtime/node';
import { describeWithAssets, expectTensorClose, sharedAsset } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { readOnnx, writeOnnx } from '../src/import/onnx/index.ts';
import {
  denseTensor,
  parseModel,
  randomTensor,
  typedData,
  type DenseTensor,
  type Model,
} from '../src/ir/index.ts';
import { runPasses } from '../src/rewrite/index.ts';
import { buildPackage, compileEdge, expandEdgewise } from '../src/targets/index.ts';
import { compactRecurrentNet, type CompactRecurrentNetOptions } from '../src/transforms/index.ts';
import { runOnnx, type Feeds } from './onnxruntime.ts';

// Networks with a memory on the engine: the numbers of onnxruntime up to rounding, the same bits on both rungs.

/** Sums in another order, sigmoids and tanhs of our own; and what a state has gathered of that in eight steps. */
const TOLERANCE = { abs: 5e-6, rel: 1e-5 };

const LAYERS: Readonly<Record<string, string>> = {
  'one step, states given': `
  input x: float32[1,1,5]
  input h: float32[1,1,13]
  input c: float32[1,1,13]
  constant w: float32[1,52,5] random(1)
  constant r: float32[1,52,13] random(2)
  constant b: float32[1,104] random(3)
  y, yh, yc = LSTM(x, w, r, b, _, h, c) hidden_size=13
  output y: float32[1,1,1,13]
  output yh: float32[1,1,13]
  output yc: float32[1,1,13]`,
  'a sequence backwards, no bias, no states': `
  input x: float32[6,1,5]
  constant w: float32[1,32,5] random(1)
  constant r: float32[1,32,8] random(2)
  y, yh, yc = LSTM(x, w, r) hidden_size=8 direction="reverse"
  output y: float32[6,1,1,8]
  output yh: float32[1,1,8]
  output yc: float32[1,1,8]`,
  'both directions, constant states, then another layer': `
  input x: float32[4,1,3]
  constant w: float32[2,40,3] random(1)
  constant r: float32[2,40,10] random(2)
  constant b: float32[2,80] random(3)
  constant h: float32[2,1,10] random(4)
  constant c: float32[2,1,10] random(5)
  constant w2: float32[1,12,20] random(6)
  constant r2: float32[1,12,3] random(7)
  constant apart: int64[3] {4, 1, 20}
  y1, yh, yc = LSTM(x, w, r, b, _, h, c) hidden_size=10 direction="bidirectional"
  t = Transpose(y1) perm=[0, 2, 1, 3]
  m = Reshape(t, apart)
  y, _, _ = LSTM(m, w2, r2) hidden_size=3
  output y: float32[4,1,1,3]
  output yh: float32[2,1,10]
  output yc: float32[2,1,10]`,
  'a GRU as PyTorch has it, states given, then one as ONNX has it, backwards': `
  input x: float32[4,1,5]
  input h: float32[1,1,13]
  constant w: float32[1,39,5] random(1)
  constant r: float32[1,39,13] random(2)
  constant b: float32[1,78] random(3)
  constant w2: float32[1,24,13] random(4)
  constant r2: float32[1,24,8] random(5)
  constant b2: float32[1,48] random(6)
  constant axis: int64[1] {1}
  a, yh = GRU(x, w, r, b, _, h) hidden_size=13 linear_before_reset=1
  m = Squeeze(a, axis)
  y, _ = GRU(m, w2, r2, b2) hidden_size=8 direction="reverse"
  output y: float32[4,1,1,8]
  output yh: float32[1,1,13]`,
  'both directions of a GRU over a batch, no bias': `
  input x: float32[5,3,4]
  constant w: float32[2,30,4] random(1)
  constant r: float32[2,30,10] random(2)
  constant h: float32[2,3,10] random(3)
  y, yh = GRU(x, w, r, _, _, h) hidden_size=10 direction="bidirectional"
  output y: float32[5,2,3,10]
  output yh: float32[2,3,10]`,
  'an LSTM over a batch, both directions, states given': `
  input x: float32[3,2,5]
  input h: float32[2,2,9]
  input c: float32[2,2,9]
  constant w: float32[2,36,5] random(1)
  constant r: float32[2,36,9] random(2)
  constant b: float32[2,72] random(3)
  y, yh, yc = LSTM(x, w, r, b, _, h, c) hidden_size=9 direction="bidirectional"
  output y: float32[3,2,2,9]
  output yh: float32[2,2,9]
  output yc: float32[2,2,9]`,
  'convolutions over one axis, of odd sizes': `
  input x: float32[1,5,23]
  constant w: float32[9,5,4] random(1)
  constant b: float32[9] random(2)
  constant d: float32[9,1,3] random(3)
  constant p: float32[6,9,1] random(4)
  a = edgewise.Conv(x, w, b) kernel_shape=[4] strides=[3] pads=[2, 1] dilations=[1] group=1 activation="relu"
  c = edgewise.Conv(a, d) kernel_shape=[3] pads=[2, 2] strides=[1] dilations=[2] group=9 activation="none"
  e = edgewise.Conv(c, p) kernel_shape=[1] pads=[0, 0] strides=[1] dilations=[1] group=1 activation="tanh"
  y = GlobalAveragePool(e)
  output y: float32[1,6,1]
  output e: float32[1,6,8]`,
  'a reflecting Pad, roots': `
  input x: float32[1,12]
  constant pads: int64[4] {0, 3, 0, 4}
  constant axes: int64[1] {1}
  constant w: float32[7,1,6] random(1)
  p = Pad(x, pads) mode="reflect"
  u = Unsqueeze(p, axes)
  v = edgewise.Conv(u, w) kernel_shape=[6] strides=[2] pads=[0, 0] dilations=[1] group=1 activation="none"
  s = Mul(v, v)
  y = Sqrt(s)
  output y: float32[1,7,7]
  output p: float32[1,19]`,
};

describe('layers', () => {
  it.each(Object.entries(LAYERS))('%s', async (_, body) => {
    const model = parseModel(`ir 8\nopset ai.onnx 18\nopset edgewise 1\n\ngraph main {${body}\n}`);
    await expectSame(model, writeOnnx(expandEdgewise(model)).bytes, { steps: 1 });
  });

  it.each([
    [
      'activations',
      'input x: float32[2,1,5]',
      'LSTM(x, w, r) hidden_size=8 activations=["Sigmoid", "Relu", "Tanh"]',
      'activations of its own',
    ],
    ['clip', 'input x: float32[2,1,5]', 'LSTM(x, w, r) hidden_size=8 clip=0.5', 'clip'],
  ])('refuses %s', (_, input, call, what) => {
    const model = parseModel(
      `ir 8\nopset ai.onnx 18\n\ngraph main {\n${input}\nconstant w: float32[1,32,5] random(1)\nconstant r: float32[1,32,8] random(2)\ny = ${call}\noutput y\n}`,
    );
    expect(() => compileEdge(model)).toThrow(`${what} is not supported`);
  });
});

const MODELS: readonly (readonly [string, CompactRecurrentNetOptions, Readonly<Record<string, string>>])[] = [
  ['silero_vad_16k_op15', { settings: { sr: 16_000 }, dims: { sequence: 576 } }, { state: 'stateN' }],
  ['dtln_model_1', {}, { input_3: 'tf_op_layer_stack_2' }],
  ['dtln_model_2', {}, { input_5: 'tf_op_layer_stack_5' }],
  ['kwt1_raw_audio', {}, {}],
];

describeWithAssets(
  'networks',
  MODELS.map(([name]) => `models/audio/${name}.onnx`),
  () => {
    it.each(MODELS)('%s, eight chunks with their states', async (name, options, states) => {
      const bytes = readFileSync(sharedAsset(`models/audio/${name}.onnx`));
      const { model, diagnostics } = await runPasses(readOnnx(bytes), compactRecurrentNet(options));
      expect(diagnostics).toEqual([]);
      await expectSame(model, bytes, { steps: 8, states, settings: options.settings });
    });
  },
);

interface Run {
  readonly steps: number;
  /** Outputs that become inputs of the next step, by input. */
  readonly states?: Readonly<Record<string, string>>;
  /** Inputs that only the original has. */
  readonly settings?: Readonly<Record<string, number>> | undefined;
}

/** The same outputs from the engine as from onnxruntime, step by step, each with its own states. */
async function expectSame(
  model: Model,
  original: Uint8Array,
  { steps, states = {}, settings = {} }: Run,
): Promise<void> {
  const { model: edge, files: parts } = compileEdge(model);
  const description = { name: 'test', task: 'test' };
  const files = await buildPackage({ description, model: edge, files: parts });
  const engines: SessionOptions[] = [
    { rung: 'relaxed', threads: 1 },
    { rung: 'simd', threads: 1 },
    { rung: 'simd', threads: 3 },
  ];
  const sessions = await Promise.all(engines.map((options) => createSession(files, options)));
  const constants = Object.entries(settings).map(
    ([name, value]) => [name, denseTensor('int64', [], BigInt64Array.of(BigInt(value)))] as const,
  );
  let own: Record<string, ArrayLike<number>> = {};
  let theirs: Record<string, DenseTensor> = {};
  for (let step = 0; step < steps; step++) {
    const inputs = new Map(
      model.graph.inputs.map(({ name, type }, index) => {
        const dims = type?.kind === 'tensor' ? (type.shape as number[]) : [];
        // States begin with zeros.
        if (!(name in states)) return [name, randomTensor('float32', dims, 100 * step + index)];
        return [
          name,
          theirs[name] ?? denseTensor('float32', dims, new Float32Array(dims.reduce((a, b) => a * b))),
        ];
      }),
    ) as Map<string, DenseTensor>;
    const expected = await outputsOf(original, new Map([...inputs, ...constants]));
    const feeds = Object.fromEntries(
      [...inputs].map(([name, tensor]) => [name, own[name] ?? (typedData(tensor) as Float32Array)]),
    );
    const [first, ...others] = (await Promise.all(sessions.map((session) => session.run(feeds)))) as [
      Outputs,
    ];
    for (const other of others) expect(other).toEqual(first);
    for (const [name, tensor] of Object.entries(expected)) {
      expect(first[name]?.shape).toEqual(tensor.dims);
      expectTensorClose(first[name]!.data, typedData(tensor) as Float32Array, { ...TOLERANCE, label: name });
    }
    own = Object.fromEntries(Object.entries(states).map(([input, output]) => [input, first[output]!.data]));
    theirs = Object.fromEntries(Object.entries(states).map(([input, output]) => [input, expected[output]!]));
  }
  for (const session of sessions) session.dispose();
}

async function outputsOf(bytes: Uint8Array, feeds: Feeds): Promise<Record<string, DenseTensor>> {
  const outcome = await runOnnx(bytes, feeds);
  if ('failure' in outcome) throw new Error(outcome.failure);
  return Object.fromEntries(
    Object.entries(outcome.outputs).map(([name, { dims, data }]) => [
      name,
      denseTensor('float32', dims, data as Float32Array),
    ]),
  );
}
