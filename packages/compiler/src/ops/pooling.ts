import { elementCount, type Shape } from '../ir/index.ts';
import { asNumbers } from './indexing.ts';
import { dtypeOf, shapeOf, tensorType, unknownDims } from './inference.ts';
import { allocate, ndArray, type NdArray } from './nd-array.ts';
import type { EvaluateContext, InferContext, OpDefinition } from './op-definition.ts';
import { OUTSIDE, readWindowRule, windowDims, windowIndex, windowPads } from './windows.ts';

/** Reduces the elements under one window; `cells` are offsets into the channel that starts at `base`. */
type PoolWindow = (data: ArrayLike<number>, base: number, cells: readonly number[]) => number;

/** [N, C, …] of a pooling over the first input. */
export function pooledShape(context: InferContext): Shape | undefined {
  const kernel = context.attributes.ints('kernel_shape') ?? [];
  const shape = shapeOf(context, 0);
  if (shape === undefined) return unknownDims(kernel.length + 2);
  return [...shape.slice(0, 2), ...windowDims(readWindowRule(context.attributes, kernel), shape.slice(2))];
}

interface Pool {
  readonly values: NdArray;
  /** Chosen element of each window, as a flat index into the input. */
  readonly chosen: NdArray;
}

function pool(context: EvaluateContext, apply: PoolWindow): Pool {
  const x = context.input(0);
  const rule = readWindowRule(context.attributes, context.attributes.ints('kernel_shape') ?? []);
  const [batch = 0, channels = 0, ...spatial] = x.dims;
  const out = windowDims(rule, spatial) as number[];
  const index = windowIndex(rule, spatial, out, windowPads(rule, spatial, out));
  const [area, positions] = [elementCount(spatial), elementCount(out)];
  const cells = index.length / Math.max(1, positions);
  const windows = Array.from({ length: positions }, (_, position) =>
    Array.from({ length: cells }, (__, cell) => index[cell * positions + position] as number).filter(
      (at) => at !== OUTSIDE,
    ),
  );
  const dims = [batch, channels, ...out];
  const data = allocate(x.dtype, elementCount(dims));
  const chosen = new BigInt64Array(data.length);
  const from = asNumbers(x);
  for (let plane = 0; plane < batch * channels; plane++) {
    for (const [position, window] of windows.entries()) {
      const at = plane * positions + position;
      const value = apply(from, plane * area, window);
      data[at] = value;
      chosen[at] = BigInt(
        plane * area + (window.find((cell) => cell >= 0 && from[plane * area + cell] === value) ?? 0),
      );
    }
  }
  return { values: { dtype: x.dtype, dims, data }, chosen: ndArray('int64', dims, chosen) };
}

const maxWindow: PoolWindow = (data, base, cells) => {
  let top = -Infinity;
  for (const cell of cells)
    if (cell >= 0 && (data[base + cell] as number) > top) top = data[base + cell] as number;
  return top;
};

const maxPool: OpDefinition = {
  domain: '',
  opType: 'MaxPool',
  since: 1,
  inputs: [1, 1],
  outputs: [1, 2],
  infer(context) {
    const shape = pooledShape(context);
    return [tensorType(dtypeOf(context, 0), shape), tensorType('int64', shape)];
  },
  evaluate(context) {
    const { values, chosen } = pool(context, maxWindow);
    return [
      values,
      context.attributes.int('storage_order', 0) === 1 ? columnMajor(chosen, context.input(0).dims) : chosen,
    ];
  },
};

/** Renumbers flat row-major positions of [N, C, H, W] with the spatial axes in reverse order. */
function columnMajor(chosen: NdArray, dims: readonly number[]): NdArray {
  const spatial = dims.slice(2);
  const area = elementCount(spatial);
  const data = (chosen.data as BigInt64Array).map((flat) => {
    let rest = Number(flat) % area;
    const plane = Number(flat) - rest;
    const coordinates = spatial.toReversed().map((extent) => {
      const coordinate = rest % extent;
      rest = Math.floor(rest / extent);
      return coordinate;
    });
    const order = coordinates.reduce((total, c, i) => total * (spatial.at(-1 - i) as number) + c, 0);
    return BigInt(plane + order);
  });
  return { ...chosen, data };
}

const averagePool: OpDefinition = {
  domain: '',
  opType: 'AveragePool',
  since: 1,
  inputs: [1, 1],
  infer: (context) => [tensorType(dtypeOf(context, 0), pooledShape(context))],
  evaluate(context) {
    const padded = context.attributes.int('count_include_pad', 0) === 1;
    const average: PoolWindow = (data, base, cells) => {
      let sum = 0;
      let count = 0;
      for (const cell of cells) {
        if (cell >= 0) sum += data[base + cell] as number;
        if (cell >= 0 || padded) count++;
      }
      return sum / count;
    };
    return [pool(context, average).values];
  },
};

const lpPool: OpDefinition = {
  domain: '',
  opType: 'LpPool',
  since: 2,
  inputs: [1, 1],
  infer: (context) => [tensorType(dtypeOf(context, 0), pooledShape(context))],
  evaluate(context) {
    const p = context.attributes.int('p', 2);
    const norm: PoolWindow = (data, base, cells) =>
      cells.reduce((sum, cell) => sum + (cell < 0 ? 0 : Math.abs(data[base + cell] as number) ** p), 0) **
      (1 / p);
    return [pool(context, norm).values];
  },
};

function globalPool(opType: string, fold: (values: Float64Array) => number): OpDefinition {
  return {
    domain: '',
    opType,
    since: 1,
    inputs: [1, 1],
    infer(context) {
      const shape = shapeOf(context, 0);
      return [
        tensorType(
          dtypeOf(context, 0),
          shape?.map((dim, axis) => (axis < 2 ? dim : 1)),
        ),
      ];
    },
    evaluate(context) {
      const x = context.input(0);
      const area = elementCount(x.dims.slice(2));
      const from = Float64Array.from(asNumbers(x));
      const dims = x.dims.map((dim, axis) => (axis < 2 ? dim : 1));
      const data = allocate(x.dtype, elementCount(dims));
      for (let i = 0; i < data.length; i++) data[i] = fold(from.subarray(i * area, (i + 1) * area));
      return [{ dtype: x.dtype, dims, data }];
    },
  };
}

/** Pooling operators of ai.onnx. */
export const poolingOps: readonly OpDefinition[] = [
  maxPool,
  averagePool,
  lpPool,
  globalPool('GlobalAveragePool', (values) => values.reduce((sum, x) => sum + x, 0) / values.length),
  globalPool('GlobalMaxPool', (values) => values.reduce((top, x) => Math.max(top, x), -Infinity)),
];
