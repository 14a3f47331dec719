import { CompilerError } from '../diagnostics/index.ts';
import { elementCount, type Shape } from '../ir/index.ts';
import { aroundAxis, asNumbers, normalizeAxis, stridesOf, take } from './indexing.ts';
import { axisOf, dtypeOf, inferSame, shapeOf, tensorType } from './inference.ts';
import { allocate, ndArray, toNumbers, toScalar, type NdArray } from './nd-array.ts';
import type { InferContext, OpDefinition } from './op-definition.ts';

function checkedIndex(index: number, extent: number): number {
  const position = index < 0 ? index + extent : index;
  if (position >= 0 && position < extent) return position;
  throw new CompilerError('invalid-graph', `The index ${index} is outside an axis of ${extent} elements.`, {
    hint: 'Check the sample inputs: token ids must be below the size of the vocabulary.',
  });
}

const gather: OpDefinition = {
  domain: '',
  opType: 'Gather',
  since: 1,
  inputs: [2, 2],
  moves: [0],
  infer(context) {
    const [data, indices] = [shapeOf(context, 0), shapeOf(context, 1)];
    const axis = data && axisOf(context, context.attributes.int('axis', 0), data.length);
    if (data === undefined || indices === undefined || axis === undefined) {
      return [tensorType(dtypeOf(context, 0), undefined)];
    }
    return [tensorType(dtypeOf(context, 0), data.toSpliced(axis, 1, ...indices))];
  },
  evaluate(context) {
    const data = context.input(0);
    const indices = context.input(1);
    const axis = normalizeAxis(context.attributes.int('axis', 0), data.dims.length);
    return [gatherAxis(data, indices, axis)];
  },
};

/** Rows `indices` of an axis; the indices' shape takes the axis' place. */
export function gatherAxis(data: NdArray, indices: NdArray, axis: number): NdArray {
  const { outer, extent, inner } = aroundAxis(data.dims, axis);
  const rows = toNumbers(indices).map((index) => checkedIndex(index, extent));
  const out = allocate(data.dtype, outer * rows.length * inner) as Float64Array;
  const from = data.data as Float64Array;
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (const row of rows) {
      const start = (o * extent + row) * inner;
      out.set(from.subarray(start, start + inner), at);
      at += inner;
    }
  }
  return { dtype: data.dtype, dims: data.dims.toSpliced(axis, 1, ...indices.dims), data: out };
}

const gatherElements: OpDefinition = {
  domain: '',
  opType: 'GatherElements',
  since: 11,
  inputs: [2, 2],
  moves: [0],
  infer: (context) => [tensorType(dtypeOf(context, 0), shapeOf(context, 1))],
  evaluate(context) {
    const data = context.input(0);
    const indices = context.input(1);
    const axis = normalizeAxis(context.attributes.int('axis', 0), data.dims.length);
    const index = elementPositions(indices, data.dims, axis);
    return [take(data, index, indices.dims)];
  },
};

/** For each index element, the position in `dims` that has the index in place of the axis' coordinate. */
function elementPositions(indices: NdArray, dims: readonly number[], axis: number): Int32Array {
  const strides = stridesOf(dims);
  const own = stridesOf(indices.dims);
  const numbers = asNumbers(indices);
  return Int32Array.from(numbers, (value, i) => {
    let position = 0;
    let rest = i;
    for (let d = 0; d < dims.length; d++) {
      const coordinate = Math.floor(rest / (own[d] as number));
      rest -= coordinate * (own[d] as number);
      position += (d === axis ? checkedIndex(value, dims[d] as number) : coordinate) * (strides[d] as number);
    }
    return position;
  });
}

function gatherNdShape(context: InferContext): Shape | undefined {
  const [data, indices] = [shapeOf(context, 0), shapeOf(context, 1)];
  const depth = indices?.at(-1);
  if (data === undefined || indices === undefined || typeof depth !== 'number') return undefined;
  return [...indices.slice(0, -1), ...data.slice(context.attributes.int('batch_dims', 0) + depth)];
}

/** Starts of the slices that a tensor of index tuples names. */
function tupleStarts(indices: NdArray, dims: readonly number[], batchDims: number): number[] {
  const depth = indices.dims.at(-1) as number;
  const strides = stridesOf(dims);
  const tuples = toNumbers(indices);
  const count = elementCount(indices.dims.slice(0, -1));
  const perBatch = count / elementCount(dims.slice(0, batchDims));
  const batchSize = elementCount(dims.slice(batchDims));
  return Array.from({ length: count }, (_, tuple) => {
    let start = Math.floor(tuple / perBatch) * batchSize;
    for (let d = 0; d < depth; d++) {
      const axis = batchDims + d;
      start +=
        checkedIndex(tuples[tuple * depth + d] as number, dims[axis] as number) * (strides[axis] as number);
    }
    return start;
  });
}

const gatherNd: OpDefinition = {
  domain: '',
  opType: 'GatherND',
  since: 11,
  inputs: [2, 2],
  moves: [0],
  infer: (context) => [tensorType(dtypeOf(context, 0), gatherNdShape(context))],
  evaluate(context) {
    const data = context.input(0);
    const indices = context.input(1);
    const batchDims = context.attributes.int('batch_dims', 0);
    const tail = data.dims.slice(batchDims + (indices.dims.at(-1) as number));
    const width = elementCount(tail);
    const starts = tupleStarts(indices, data.dims, batchDims);
    const positions = new Int32Array(starts.length * width);
    for (const [i, start] of starts.entries()) {
      for (let k = 0; k < width; k++) positions[i * width + k] = start + k;
    }
    return [take(data, positions, [...indices.dims.slice(0, -1), ...tail])];
  },
};

type Combine = (old: number, update: number) => number;

/** How scattered updates meet what is there; the same text serves numbers and BigInts. */
const COMBINE: Readonly<Record<string, Combine>> = {
  none: (_, update) => update,
  add: (old, update) => old + update,
  mul: (old, update) => old * update,
  max: (old, update) => (update > old ? update : old),
  min: (old, update) => (update < old ? update : old),
};

function combination(name: string): Combine {
  const combine = COMBINE[name];
  if (combine) return combine;
  throw new CompilerError('unsupported', `The scatter reduction "${name}" is not known.`, {
    hint: `Known are ${Object.keys(COMBINE).join(', ')}.`,
  });
}

function scatterElements(opType: string, since: number, until?: number): OpDefinition {
  return {
    domain: '',
    opType,
    since,
    ...(until !== undefined && { until }),
    inputs: [3, 3],
    infer: inferSame,
    evaluate(context) {
      const target = context.input(0);
      const axis = normalizeAxis(context.attributes.int('axis', 0), target.dims.length);
      const combine = combination(context.attributes.string('reduction', 'none'));
      const positions = elementPositions(context.input(1), target.dims, axis);
      const updates = context.input(2).data as Float64Array;
      const data = target.data.slice() as Float64Array;
      for (const [i, position] of positions.entries()) {
        data[position] = combine(data[position] as number, updates[i] as number);
      }
      return [{ ...target, data }];
    },
  };
}

const scatterNd: OpDefinition = {
  domain: '',
  opType: 'ScatterND',
  since: 11,
  inputs: [3, 3],
  infer: inferSame,
  evaluate(context) {
    const target = context.input(0);
    const indices = context.input(1);
    const updates = context.input(2).data as Float64Array;
    const combine = combination(context.attributes.string('reduction', 'none'));
    const width = elementCount(target.dims.slice(indices.dims.at(-1)));
    const data = target.data.slice() as Float64Array;
    for (const [i, start] of tupleStarts(indices, target.dims, 0).entries()) {
      for (let k = 0; k < width; k++) {
        data[start + k] = combine(data[start + k] as number, updates[i * width + k] as number);
      }
    }
    return [{ ...target, data }];
  },
};

const nonZero: OpDefinition = {
  domain: '',
  opType: 'NonZero',
  since: 9,
  inputs: [1, 1],
  infer: (context) => [
    tensorType('int64', [shapeOf(context, 0)?.length ?? null, context.freshDim('nonzero')]),
  ],
  evaluate(context) {
    const { dims } = context.input(0);
    const data = asNumbers(context.input(0));
    const found = [...data.keys()].filter((i) => data[i] !== 0);
    const strides = stridesOf(dims);
    const rows = dims.flatMap((dim, axis) =>
      found.map((i) => BigInt(Math.floor(i / (strides[axis] as number)) % dim)),
    );
    return [ndArray('int64', [dims.length, found.length], BigInt64Array.from(rows))];
  },
};

const topK: OpDefinition = {
  domain: '',
  opType: 'TopK',
  since: 1,
  inputs: [1, 2],
  outputs: [2, 2],
  infer(context) {
    const shape = shapeOf(context, 0);
    const k = context.attributes.has('k')
      ? context.attributes.int('k')
      : (context.values[1]?.elements[0] ?? null);
    const axis = shape && axisOf(context, context.attributes.int('axis', -1), shape.length);
    const dims = shape?.map((dim, position) => (position === axis ? k : dim));
    return [tensorType(dtypeOf(context, 0), dims), tensorType('int64', dims)];
  },
  evaluate(context) {
    const array = context.input(0);
    const k = context.attributes.has('k') ? context.attributes.int('k') : toScalar(context.input(1));
    const axis = normalizeAxis(context.attributes.int('axis', -1), array.dims.length);
    const sign = context.attributes.int('largest', 1) === 1 ? -1 : 1;
    const { outer, extent, inner } = aroundAxis(array.dims, axis);
    const dims = array.dims.map((dim, position) => (position === axis ? k : dim));
    const from = asNumbers(array);
    const index = new Int32Array(elementCount(dims));
    const order = ndArray('int64', dims);
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        const at = (e: number): number => (o * extent + e) * inner + i;
        const sorted = Array.from({ length: extent }, (_, e) => e).sort(
          (a, b) => sign * ((from[at(a)] as number) - (from[at(b)] as number)) || a - b,
        );
        for (let e = 0; e < k; e++) {
          index[(o * k + e) * inner + i] = at(sorted[e] as number);
          order.data[(o * k + e) * inner + i] = BigInt(sorted[e] as number);
        }
      }
    }
    return [take(array, index, dims), order];
  },
};

const compress: OpDefinition = {
  domain: '',
  opType: 'Compress',
  since: 9,
  inputs: [2, 2],
  infer(context) {
    const shape = shapeOf(context, 0);
    const kept = context.freshDim('kept');
    if (!context.attributes.has('axis')) return [tensorType(dtypeOf(context, 0), [kept])];
    const axis = shape && axisOf(context, context.attributes.int('axis'), shape.length);
    return [
      tensorType(
        dtypeOf(context, 0),
        shape?.map((dim, position) => (position === axis ? kept : dim)),
      ),
    ];
  },
  evaluate(context) {
    const data = context.input(0);
    const kept = toNumbers(context.input(1)).flatMap((keep, i) => (keep === 0 ? [] : [BigInt(i)]));
    const rows = ndArray('int64', [kept.length], BigInt64Array.from(kept));
    if (!context.attributes.has('axis')) return [gatherAxis({ ...data, dims: [data.data.length] }, rows, 0)];
    return [gatherAxis(data, rows, normalizeAxis(context.attributes.int('axis'), data.dims.length))];
  },
};

const reverseSequence: OpDefinition = {
  domain: '',
  opType: 'ReverseSequence',
  since: 10,
  inputs: [2, 2],
  infer: inferSame,
  /** Turns round the first `sequence_lens[b]` steps of every batch entry. */
  evaluate(context) {
    const data = context.input(0);
    const timeAxis = context.attributes.int('time_axis', 0);
    const batchAxis = context.attributes.int('batch_axis', 1);
    const lengths = toNumbers(context.input(1));
    const strides = stridesOf(data.dims);
    const along = (flat: number, axis: number): number =>
      Math.floor(flat / (strides[axis] as number)) % (data.dims[axis] as number);
    const index = Int32Array.from({ length: data.data.length }, (_, flat) => {
      const length = lengths[along(flat, batchAxis)] as number;
      const step = along(flat, timeAxis);
      return step < length ? flat + (length - 1 - 2 * step) * (strides[timeAxis] as number) : flat;
    });
    return [take(data, index, data.dims)];
  },
};

/** Operators that pick, place or search elements by index. */
export const gatherOps: readonly OpDefinition[] = [
  gather,
  gatherElements,
  gatherNd,
  scatterElements('ScatterElements', 11),
  scatterElements('Scatter', 9, 11),
  scatterNd,
  nonZero,
  topK,
  compress,
  reverseSequence,
];
