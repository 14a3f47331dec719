import { worstDifference } from '@edgewise/test-utils';
import { expect, it } from 'vitest';
import { parseModel, randomTensor, writeOnnx, type Tensor } from '../src/index.ts';
import { evaluateModel, inferTypes, tensorNumbers } from '../src/ops/index.ts';
import { runOnnx } from './onnxruntime.ts';

interface Sample {
  /** Declared inputs: type and dims, and the range of integers. */
  readonly inputs: Readonly<
    Record<string, readonly [Tensor['dtype'], number[], (readonly [number, number])?]>
  >;
  readonly call: string;
  /** Version of ai.onnx. Default 17. */
  readonly opset?: number;
}

const MS = 'com.microsoft';
const HIDDEN: Sample['inputs'] = { x: ['float32', [2, 5, 8]] };
const SKIP: Sample['inputs'] = { ...HIDDEN, skip: ['float32', [2, 5, 8]], gamma: ['float32', [8]] };

/** Two products of larger ones saturate in onnxruntime's kernel for CPUs without VNNI, which no option changes for weights that are inputs. */
const SMALL_WEIGHTS: [number, number] = [-63, 63];

/** Operators of onnxruntime itself: ONNX has no test vectors for them. */
const CONTRIB: readonly Sample[] = [
  { inputs: HIDDEN, call: `${MS}.Gelu(x)` },
  { inputs: HIDDEN, call: `${MS}.FastGelu(x)` },
  { inputs: HIDDEN, call: `${MS}.QuickGelu(x) alpha=1.5` },
  { inputs: { ...HIDDEN, bias: ['float32', [8]] }, call: `${MS}.BiasGelu(x, bias)` },
  { inputs: { ...HIDDEN, bias: ['float32', [8]] }, call: `${MS}.FastGelu(x, bias)` },
  {
    inputs: { ...SKIP, beta: ['float32', [8]], bias: ['float32', [8]] },
    call: `${MS}.SkipLayerNormalization(x, skip, gamma, beta, bias) epsilon=0.001`,
  },
  { inputs: SKIP, call: `${MS}.SkipSimplifiedLayerNormalization(x, skip, gamma) epsilon=0.001` },
  {
    inputs: { ...HIDDEN, gamma: ['float32', [8]] },
    call: 'SimplifiedLayerNormalization(x, gamma) epsilon=0.001',
  },
  {
    inputs: { ...HIDDEN, w: ['float32', [2, 8, 5]] },
    call: `${MS}.FusedMatMul(x, w) alpha=0.25 transA=1 transB=1`,
  },
  {
    inputs: {
      ...HIDDEN,
      w: ['int8', [8, 6], SMALL_WEIGHTS],
      s: ['float32', [6]],
      zero: ['int8', [6], [-9, 9]],
      bias: ['float32', [6]],
    },
    call: `${MS}.DynamicQuantizeMatMul(x, w, s, zero, bias)`,
  },
  {
    inputs: {
      a: ['uint8', [2, 5, 8], [0, 255]],
      w: ['int8', [8, 6], SMALL_WEIGHTS],
      sa: ['float32', [1]],
      sw: ['float32', [6]],
      za: ['uint8', [1], [100, 140]],
    },
    call: `${MS}.MatMulIntegerToFloat(a, w, sa, sw, za)`,
  },
];

const IMAGE: Sample['inputs'] = { x: ['float32', [2, 3, 7, 6]] };
const CUBE: Sample['inputs'] = { x: ['float32', [2, 3, 4]] };
const STATISTICS: Sample['inputs'] = {
  ...IMAGE,
  gamma: ['float32', [3]],
  beta: ['float32', [3]],
  mean: ['float32', [3]],
  variance: ['float32', [3], [1, 2]],
};

/** How older versions spell operators: the backend tests have the newest spelling only. */
const OLD: readonly Sample[] = [
  { opset: 9, inputs: CUBE, call: 'Slice(x) starts=[-3, 0] ends=[9, 9223372036854775807] axes=[2, 0]' },
  { opset: 9, inputs: CUBE, call: 'Slice(x) starts=[1, 1] ends=[2, -1]' },
  { opset: 12, inputs: { x: ['float32', [1, 3, 1]] }, call: 'Squeeze(x) axes=[-1]' },
  { opset: 12, inputs: { x: ['float32', [1, 3, 1]] }, call: 'Squeeze(x)' },
  { opset: 12, inputs: CUBE, call: 'Unsqueeze(x) axes=[0, 3]' },
  { opset: 12, inputs: CUBE, call: 'ReduceSum(x) axes=[1] keepdims=0' },
  { opset: 17, inputs: CUBE, call: 'ReduceMean(x) axes=[-1, 0]' },
  { opset: 17, inputs: CUBE, call: 'ReduceMax(x)' },
  { opset: 10, inputs: IMAGE, call: 'Pad(x) pads=[0, 0, 1, 2, 0, 1, 3, 0] value=1.5' },
  { opset: 10, inputs: IMAGE, call: 'Pad(x) pads=[0, 0, 1, 2, 0, 0, 3, 1] mode="reflect"' },
  { opset: 10, inputs: IMAGE, call: 'Clip(x) min=-0.25 max=0.5' },
  { opset: 7, inputs: IMAGE, call: 'Dropout(x) ratio=0.5' },
  { opset: 11, inputs: CUBE, call: 'Softmax(x) axis=1' },
  { opset: 12, inputs: CUBE, call: 'LogSoftmax(x)' },
  { opset: 12, inputs: CUBE, call: 'Hardmax(x) axis=1' },
  { opset: 7, inputs: IMAGE, call: 'Upsample(x) mode="nearest" scales=[1.0, 1.0, 2.0, 3.0]' },
  { opset: 8, inputs: IMAGE, call: 'Upsample(x) mode="linear" scales=[1.0, 1.0, 2.0, 2.0]' },
  { opset: 7, inputs: STATISTICS, call: 'BatchNormalization(x, gamma, beta, mean, variance) epsilon=0.01' },
  { opset: 15, inputs: STATISTICS, call: 'BatchNormalization(x, gamma, beta, mean, variance)' },
  {
    opset: 7,
    inputs: { ...IMAGE, k: ['float32', [4, 3, 3, 2]] },
    call: 'Conv(x, k) auto_pad="SAME_LOWER" strides=[2, 2]',
  },
  {
    opset: 10,
    inputs: IMAGE,
    call: 'AveragePool(x) kernel_shape=[3, 3] strides=[2, 2] ceil_mode=1 count_include_pad=0',
  },
  { opset: 7, inputs: IMAGE, call: 'MaxPool(x) kernel_shape=[2, 2] pads=[1, 0, 0, 1]' },
  {
    opset: 7,
    inputs: { a: ['float32', [3, 2]], b: ['float32', [4, 3]], c: ['float32', [4]] },
    call: 'Gemm(a, b, c) alpha=0.5 beta=2.0 transA=1 transB=1',
  },
  { opset: 9, inputs: CUBE, call: 'Flatten(x) axis=2' },
  { opset: 9, inputs: { x: ['float32', [2, 1, 4]], y2: ['float32', [3, 1]] }, call: 'Div(x, y2)' },
  { opset: 9, inputs: { x: ['int32', [6], [-9, 9]], y2: ['int32', [6], [1, 4]] }, call: 'Div(x, y2)' },
  { opset: 13, inputs: { x: ['int64', [6], [-9, 9]], y2: ['int64', [6], [1, 4]] }, call: 'Mod(x, y2)' },
  { opset: 12, inputs: { x: ['float32', [9]], y2: ['float32', [1]] }, call: 'Mod(x, y2) fmod=1' },
  { opset: 11, inputs: { x: ['uint8', [9], [0, 255]], y2: ['uint8', [9], [0, 255]] }, call: 'Equal(x, y2)' },
  {
    opset: 14,
    inputs: {
      x: ['float32', [4, 2, 3]],
      w: ['float32', [2, 20, 3]],
      r: ['float32', [2, 20, 5]],
      b: ['float32', [2, 40]],
    },
    call: 'LSTM(x, w, r, b) hidden_size=5 direction="bidirectional"',
  },
  {
    opset: 14,
    inputs: {
      x: ['float32', [4, 2, 3]],
      w: ['float32', [1, 20, 3]],
      r: ['float32', [1, 20, 5]],
      b: ['float32', [1, 40]],
    },
    call: 'LSTM(x, w, r, b) hidden_size=5 direction="reverse"',
  },
  {
    opset: 14,
    inputs: {
      x: ['float32', [4, 2, 3]],
      w: ['float32', [2, 15, 3]],
      r: ['float32', [2, 15, 5]],
      b: ['float32', [2, 30]],
    },
    call: 'GRU(x, w, r, b) hidden_size=5 direction="bidirectional" linear_before_reset=1',
  },
  {
    opset: 14,
    inputs: {
      x: ['float32', [4, 2, 3]],
      w: ['float32', [1, 15, 3]],
      r: ['float32', [1, 15, 5]],
      b: ['float32', [1, 30]],
    },
    call: 'GRU(x, w, r, b) hidden_size=5 direction="reverse"',
  },
  {
    opset: 14,
    inputs: {
      x: ['float32', [4, 2, 3]],
      w: ['float32', [2, 5, 3]],
      r: ['float32', [2, 5, 5]],
      b: ['float32', [2, 10]],
    },
    call: 'RNN(x, w, r, b) hidden_size=5 direction="bidirectional"',
  },
  {
    opset: 13,
    inputs: { x: ['float32', [4, 3]], s: ['float32', [3], [1, 3]], z: ['int8', [3], [-5, 5]] },
    call: 'QuantizeLinear(x, s, z) axis=1',
  },
];

/** float32 sums in another order; onnxruntime's approximations of erf and tanh. */
const TOLERANCE = { abs: 2e-5, rel: 2e-5 };

it.each([...CONTRIB, ...OLD])('$call is what onnxruntime computes', async ({ inputs, call, opset = 17 }) => {
  const declared = Object.entries(inputs).map(
    ([name, [dtype, dims]]) => `input ${name}: ${dtype}[${dims.join()}]`,
  );
  const model = parseModel(
    `ir 8\nopset ai.onnx ${opset}\nopset ${MS} 1\n\ngraph main {\n${declared.join('\n')}\ny = ${call}\noutput y\n}`,
  );
  const feeds = new Map(
    Object.entries(inputs).map(([name, [dtype, dims, range]], index) => [
      name,
      randomTensor(dtype as 'float32', dims, index + 1, range),
    ]),
  );
  const outcome = await runOnnx(writeOnnx(model).bytes, feeds);
  if ('failure' in outcome) throw new Error(outcome.failure);
  const expected = outcome.outputs['y'];
  const actual = evaluateModel(model, feeds).get('y') as Tensor;
  expect(actual.dims).toEqual(expected?.dims);
  expect(inferTypes(model).types.get('y')).toMatchObject({ dtype: expected?.type, shape: expected?.dims });
  const worst = worstDifference(tensorNumbers(actual), expected?.data as ArrayLike<number>, TOLERANCE);
  expect(worst).toMatchObject({ failing: 0 });
});
