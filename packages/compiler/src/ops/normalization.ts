import { CompilerError } from '../diagnostics/index.ts';
import type { Shape, TensorType } from '../ir/index.ts';
import { elementCount } from '../ir/index.ts';
import { aroundAxis, asNumbers, broadcastTo, normalizeAxis } from './indexing.ts';
import { dtypeOf, inferSame, shapeOf, tensorType } from './inference.ts';
import { allocate, ndArray, type NdArray } from './nd-array.ts';
import type { EvaluateContext, InferContext, OpDefinition } from './op-definition.ts';

/** Statistics of one normalized row; `scale` is 1/√(variance + epsilon). */
export interface RowStatistics {
  readonly mean: number;
  readonly scale: number;
}

/** Mean and reciprocal deviation of a run of numbers, two passes in double precision. */
export function rowStatistics(
  data: ArrayLike<number>,
  from: number,
  length: number,
  epsilon: number,
): RowStatistics {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += data[from + i] as number;
  const mean = sum / length;
  let squares = 0;
  for (let i = 0; i < length; i++) squares += ((data[from + i] as number) - mean) ** 2;
  return { mean, scale: 1 / Math.sqrt(squares / length + epsilon) };
}

/** LayerNorm over rows of `gamma.length` elements. */
export function layerNormRows(
  x: ArrayLike<number>,
  gamma: ArrayLike<number>,
  beta: ArrayLike<number> | undefined,
  epsilon: number,
): Float32Array {
  const width = gamma.length;
  const out = new Float32Array(x.length);
  for (let from = 0; from < x.length; from += width) {
    const { mean, scale } = rowStatistics(x, from, width, epsilon);
    for (let i = 0; i < width; i++) {
      const normal = ((x[from + i] as number) - mean) * scale;
      out[from + i] = normal * (gamma[i] as number) + (beta ? (beta[i] as number) : 0);
    }
  }
  return out;
}

type SoftmaxRow = (row: Float64Array) => void;

const softmaxRow: SoftmaxRow = (row) => {
  const top = row.reduce((a, b) => Math.max(a, b), -Infinity);
  let sum = 0;
  for (let i = 0; i < row.length; i++) sum += row[i] = Math.exp((row[i] as number) - top);
  for (let i = 0; i < row.length; i++) row[i] = (row[i] as number) / sum;
};

const logSoftmaxRow: SoftmaxRow = (row) => {
  const top = row.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = row.reduce((total, x) => total + Math.exp(x - top), 0);
  const shift = top + Math.log(sum);
  for (let i = 0; i < row.length; i++) row[i] = (row[i] as number) - shift;
};

const hardmaxRow: SoftmaxRow = (row) => {
  const best = row.reduce((top, x, i) => (x > (row[top] as number) ? i : top), 0);
  row.fill(0);
  row[best] = 1;
};

/** Before version 13 everything from the axis on is one row and the default axis is 1. */
function alongAxis(opType: string, apply: SoftmaxRow): OpDefinition {
  return {
    domain: '',
    opType,
    since: 1,
    inputs: [1, 1],
    infer: inferSame,
    evaluate(context) {
      const array = context.input(0);
      const flat = context.opset < 13;
      const axis = normalizeAxis(context.attributes.int('axis', flat ? 1 : -1), array.dims.length);
      const around = aroundAxis(array.dims, axis);
      const { outer, extent, inner } = flat
        ? { outer: around.outer, extent: around.extent * around.inner, inner: 1 }
        : around;
      const from = asNumbers(array);
      const data = allocate(array.dtype, from.length);
      const row = new Float64Array(extent);
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < inner; i++) {
          const base = o * extent * inner + i;
          for (let k = 0; k < extent; k++) row[k] = from[base + k * inner] as number;
          apply(row);
          for (let k = 0; k < extent; k++) data[base + k * inner] = row[k] as number;
        }
      }
      return [{ ...array, data }];
    },
  };
}

function leadingShape(context: InferContext): Shape | undefined {
  const shape = shapeOf(context, 0);
  if (shape === undefined) return undefined;
  const axis = context.attributes.int('axis', -1);
  return shape.map((dim, position) => (position < (axis < 0 ? axis + shape.length : axis) ? dim : 1));
}

const layerNormalization: OpDefinition = {
  domain: '',
  opType: 'LayerNormalization',
  since: 17,
  inputs: [2, 3],
  outputs: [1, 3],
  infer(context): readonly (TensorType | undefined)[] {
    const statistics = tensorType('float32', leadingShape(context));
    return [context.types[0], statistics, statistics];
  },
  evaluate(context) {
    const x = context.input(0);
    const axis = normalizeAxis(context.attributes.int('axis', -1), x.dims.length);
    const epsilon = context.attributes.float('epsilon', 1e-5);
    const normalized = x.dims.slice(axis);
    const gamma = asNumbers(broadcastTo(context.input(1), normalized));
    const beta = context.inputs[2] && asNumbers(broadcastTo(context.inputs[2], normalized));
    const rows = elementCount(x.dims.slice(0, axis));
    const width = elementCount(normalized);
    const from = asNumbers(x);
    const data = layerNormRows(from, gamma, beta, epsilon);
    const statistics = Array.from({ length: rows }, (_, row) =>
      rowStatistics(from, row * width, width, epsilon),
    );
    const dims = x.dims.map((dim, position) => (position < axis ? dim : 1));
    return [
      { ...x, data },
      ndArray(
        'float32',
        dims,
        Float32Array.from(statistics, ({ mean }) => mean),
      ),
      ndArray(
        'float32',
        dims,
        Float32Array.from(statistics, ({ scale }) => scale),
      ),
    ];
  },
};

const rmsNormalization: OpDefinition = {
  domain: '',
  opType: 'RMSNormalization',
  since: 23,
  inputs: [2, 2],
  infer: inferSame,
  evaluate(context) {
    const x = context.input(0);
    const axis = normalizeAxis(context.attributes.int('axis', -1), x.dims.length);
    const epsilon = context.attributes.float('epsilon', 1e-5);
    const gamma = asNumbers(broadcastTo(context.input(1), x.dims.slice(axis)));
    return [{ ...x, data: rmsNormRows(asNumbers(x), gamma, epsilon) }];
  },
};

/** x / √(mean(x²) + epsilon) · gamma over rows of `gamma.length` elements. */
export function rmsNormRows(x: ArrayLike<number>, gamma: ArrayLike<number>, epsilon: number): Float32Array {
  const width = gamma.length;
  const out = new Float32Array(x.length);
  for (let from = 0; from < x.length; from += width) {
    let squares = 0;
    for (let i = 0; i < width; i++) squares += (x[from + i] as number) ** 2;
    const scale = 1 / Math.sqrt(squares / width + epsilon);
    for (let i = 0; i < width; i++) out[from + i] = (x[from + i] as number) * scale * (gamma[i] as number);
  }
  return out;
}

/** Applies y = x·a[c] + b[c] per channel (axis 1). */
function perChannel(x: NdArray, coefficients: (channel: number) => readonly [number, number]): NdArray {
  const { outer, extent, inner } = aroundAxis(x.dims, x.dims.length > 1 ? 1 : 0);
  const from = asNumbers(x);
  const data = allocate(x.dtype, from.length);
  for (let c = 0; c < extent; c++) {
    const [factor, shift] = coefficients(c);
    for (let o = 0; o < outer; o++) {
      const base = (o * extent + c) * inner;
      for (let i = 0; i < inner; i++) data[base + i] = (from[base + i] as number) * factor + shift;
    }
  }
  return { ...x, data };
}

const batchNormalization: OpDefinition = {
  domain: '',
  opType: 'BatchNormalization',
  since: 7,
  inputs: [5, 5],
  outputs: [1, 5],
  infer(context) {
    const statistics = context.types[3];
    return [context.types[0], statistics, statistics, statistics, statistics];
  },
  evaluate(context) {
    const x = context.input(0);
    const epsilon = context.attributes.float('epsilon', 1e-5);
    const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((index) => asNumbers(context.input(index))) as [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    if (context.attributes.int('training_mode', 0) !== 1) {
      return [perChannel(x, channelRule(gamma, beta, mean, variance, epsilon))];
    }
    const momentum = context.attributes.float('momentum', 0.9);
    const batch = channelStatistics(x);
    const blend = (old: Float32Array, now: Float64Array): NdArray =>
      ndArray(
        'float32',
        [old.length],
        old.map((value, c) => value * momentum + (now[c] as number) * (1 - momentum)),
      );
    return [
      perChannel(x, channelRule(gamma, beta, batch.mean, batch.variance, epsilon)),
      blend(mean, batch.mean),
      blend(variance, batch.variance),
    ];
  },
};

function channelRule(
  gamma: ArrayLike<number>,
  beta: ArrayLike<number>,
  mean: ArrayLike<number>,
  variance: ArrayLike<number>,
  epsilon: number,
): (channel: number) => readonly [number, number] {
  return (c) => {
    const factor = (gamma[c] as number) / Math.sqrt((variance[c] as number) + epsilon);
    return [factor, (beta[c] as number) - (mean[c] as number) * factor];
  };
}

function channelStatistics(x: NdArray): { mean: Float64Array; variance: Float64Array } {
  const { outer, extent, inner } = aroundAxis(x.dims, 1);
  const mean = new Float64Array(extent);
  const variance = new Float64Array(extent);
  const from = asNumbers(x);
  for (let c = 0; c < extent; c++) {
    const values = new Float64Array(outer * inner);
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) values[o * inner + i] = from[(o * extent + c) * inner + i] as number;
    }
    const { mean: average, scale } = rowStatistics(values, 0, values.length, 0);
    mean[c] = average;
    variance[c] = 1 / (scale * scale);
  }
  return { mean, variance };
}

/** Normalizes groups of channels of each sample; the affine parameters are per channel or per group. */
function normalizeGroups(
  context: EvaluateContext,
  groups: number,
  parameterOf: (channel: number) => number,
): NdArray {
  const x = context.input(0);
  const [gamma, beta] = [asNumbers(context.input(1)), asNumbers(context.input(2))];
  const epsilon = context.attributes.float('epsilon', 1e-5);
  const [batch = 0, channels = 0] = x.dims;
  const inner = elementCount(x.dims.slice(2));
  const width = (channels / groups) * inner;
  const from = asNumbers(x);
  const data = allocate(x.dtype, from.length);
  for (let row = 0; row < batch * groups; row++) {
    const { mean, scale } = rowStatistics(from, row * width, width, epsilon);
    for (let i = 0; i < width; i++) {
      const channel = (row % groups) * (channels / groups) + Math.floor(i / inner);
      const at = row * width + i;
      const p = parameterOf(channel);
      data[at] = ((from[at] as number) - mean) * scale * (gamma[p] as number) + (beta[p] as number);
    }
  }
  return { ...x, data };
}

const instanceNormalization: OpDefinition = {
  domain: '',
  opType: 'InstanceNormalization',
  since: 6,
  inputs: [3, 3],
  infer: inferSame,
  evaluate: (context) => [normalizeGroups(context, context.input(0).dims[1] ?? 1, (channel) => channel)],
};

const groupNormalization: OpDefinition = {
  domain: '',
  opType: 'GroupNormalization',
  since: 18,
  inputs: [3, 3],
  infer: inferSame,
  evaluate(context) {
    const groups = context.attributes.int('num_groups');
    const perGroup = (context.input(0).dims[1] ?? 1) / groups;
    // Version 18 had one parameter per group; 21 has one per channel.
    const parameterOf = (channel: number): number =>
      context.opset < 21 ? Math.floor(channel / perGroup) : channel;
    return [normalizeGroups(context, groups, parameterOf)];
  },
};

const lpNormalization: OpDefinition = {
  domain: '',
  opType: 'LpNormalization',
  since: 1,
  inputs: [1, 1],
  infer: inferSame,
  evaluate(context) {
    const x = context.input(0);
    const p = context.attributes.int('p', 2);
    const { outer, extent, inner } = aroundAxis(
      x.dims,
      normalizeAxis(context.attributes.int('axis', -1), x.dims.length),
    );
    const from = asNumbers(x);
    const data = allocate(x.dtype, from.length);
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        const at = (k: number): number => (o * extent + k) * inner + i;
        let total = 0;
        for (let k = 0; k < extent; k++) total += Math.abs(from[at(k)] as number) ** p;
        const norm = total ** (1 / p);
        for (let k = 0; k < extent; k++) data[at(k)] = (from[at(k)] as number) / norm;
      }
    }
    return [{ ...x, data }];
  },
};

const localResponse: OpDefinition = {
  domain: '',
  opType: 'LRN',
  since: 1,
  inputs: [1, 1],
  infer: inferSame,
  evaluate(context) {
    const x = context.input(0);
    const { attributes } = context;
    const size = attributes.int('size');
    const [alpha, beta, bias] = [
      attributes.float('alpha', 1e-4),
      attributes.float('beta', 0.75),
      attributes.float('bias', 1),
    ];
    const { outer, extent, inner } = aroundAxis(x.dims, 1);
    const from = asNumbers(x);
    const data = allocate(x.dtype, from.length);
    for (let o = 0; o < outer; o++) {
      for (let c = 0; c < extent; c++) {
        const low = Math.max(0, c - Math.floor((size - 1) / 2));
        const high = Math.min(extent - 1, c + Math.ceil((size - 1) / 2));
        for (let i = 0; i < inner; i++) {
          let squares = 0;
          for (let k = low; k <= high; k++) squares += (from[(o * extent + k) * inner + i] as number) ** 2;
          const at = (o * extent + c) * inner + i;
          data[at] = (from[at] as number) / (bias + (alpha / size) * squares) ** beta;
        }
      }
    }
    return [{ ...x, data }];
  },
};

const dropout: OpDefinition = {
  domain: '',
  opType: 'Dropout',
  since: 7,
  inputs: [1, 3],
  outputs: [1, 2],
  infer: (context) => [context.types[0], tensorType(dtypeOf(context, 0) && 'bool', shapeOf(context, 0))],
  /** Inference only: the input passes through and the mask is all true. */
  evaluate(context) {
    const x = context.input(0);
    if (Number(context.inputs[2]?.data[0] ?? 0) !== 0) {
      throw new CompilerError('unsupported', 'Dropout in training mode cannot be evaluated.');
    }
    return [x, ndArray('bool', x.dims, new Uint8Array(x.data.length).fill(1))];
  },
};

/** Normalizations and softmax of ai.onnx. */
export const normalizationOps: readonly OpDefinition[] = [
  alongAxis('Softmax', softmaxRow),
  alongAxis('LogSoftmax', logSoftmaxRow),
  alongAxis('Hardmax', hardmaxRow),
  layerNormalization,
  rmsNormalization,
  batchNormalization,
  instanceNormalization,
  groupNormalization,
  lpNormalization,
  localResponse,
  dropout,
];
