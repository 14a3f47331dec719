import { CompilerError } from '../diagnostics/index.ts';
import type { Dim, Shape } from '../ir/index.ts';
import { addDims, divDims, elementCount, mulDims, productDim } from '../ir/index.ts';
import { broadcastDims, broadcastTo, concatenate, normalizeAxis, sliceAxis, transpose } from './indexing.ts';
import {
  axisOf,
  broadcastShapes,
  dtypeOf,
  firstDtype,
  inferAxes,
  inferSame,
  shapeOf,
  tensorType,
  unknownDims,
  withDim,
} from './inference.ts';
import { ndArray, toNumbers, type NdArray } from './nd-array.ts';
import type { EvaluateContext, InferContext, OpDefinition } from './op-definition.ts';

/** Axes from the attribute (older versions) or from input 1; undefined when neither is given. */
function evaluateAxes(context: EvaluateContext): number[] | undefined {
  const input = context.inputs[1];
  return context.attributes.ints('axes') ?? (input && toNumbers(input));
}

function reshaped(array: NdArray, dims: readonly number[]): NdArray {
  return ndArray(array.dtype, dims, array.data);
}

const reshape: OpDefinition = {
  domain: '',
  opType: 'Reshape',
  since: 5,
  inputs: [2, 2],
  moves: [0],
  infer(context) {
    return [tensorType(dtypeOf(context, 0), reshapedShape(context))];
  },
  evaluate(context) {
    const array = context.input(0);
    const target = toNumbers(context.input(1));
    const copyZero = context.attributes.int('allowzero', 0) === 0;
    const dims = target.map((dim, axis) => (dim === 0 && copyZero ? (array.dims[axis] as number) : dim));
    const rest = dims.reduce((product, dim) => (dim === -1 ? product : product * dim), 1);
    return [
      reshaped(
        array,
        dims.map((dim) => (dim === -1 ? array.data.length / rest : dim)),
      ),
    ];
  },
};

/** The target's elements are dims; −1 is what remains of the element count, 0 copies the input's dim. */
function reshapedShape(context: InferContext): Shape | undefined {
  const target = context.values[1];
  const shape = shapeOf(context, 0);
  if (target === undefined) {
    const [rank] = shapeOf(context, 1) ?? [];
    return typeof rank === 'number' ? unknownDims(rank) : undefined;
  }
  const copyZero = context.attributes.int('allowzero', 0) === 0;
  const dims = target.elements.map((dim, axis) => (dim === 0 && copyZero ? (shape?.[axis] ?? null) : dim));
  if (!dims.includes(-1)) return shape === undefined ? dims : completeDim(dims, shape);
  const rest = productDim(dims.filter((dim) => dim !== -1));
  const extent =
    shape === undefined ? null : (divDims(productDim(shape), rest) ?? divideByParts(shape, dims));
  return dims.map((dim) => (dim === -1 ? extent : dim));
}

/** The one unknown dim of a target follows from the element count. */
function completeDim(dims: Shape, shape: Shape): Shape {
  if (dims.filter((dim) => dim === null).length !== 1) return dims;
  const extent = divDims(productDim(shape), productDim(dims.filter((dim) => dim !== null)));
  return dims.map((dim) => dim ?? extent);
}

/** When a leading dim is unknown on both sides but the same, the rest may still divide. */
function divideByParts(shape: Shape, dims: Shape): Dim {
  const rest: Dim[] = [...shape];
  for (const dim of dims) {
    const at = dim === -1 || dim === null ? -1 : rest.indexOf(dim);
    if (at >= 0) rest[at] = 1;
  }
  const others = dims.filter((dim) => dim !== -1 && !shape.includes(dim));
  return divDims(productDim(rest), productDim(others));
}

const transposeOp: OpDefinition = {
  domain: '',
  opType: 'Transpose',
  since: 1,
  inputs: [1, 1],
  moves: [0],
  infer(context) {
    const shape = shapeOf(context, 0);
    const order = context.attributes.ints('perm') ?? shape?.map((_, axis) => shape.length - 1 - axis);
    return [
      tensorType(
        dtypeOf(context, 0),
        order?.map((axis) => shape?.[axis] ?? null),
      ),
    ];
  },
  evaluate(context) {
    const array = context.input(0);
    const order = context.attributes.ints('perm') ?? [...array.dims.keys()].toReversed();
    return [transpose(array, order)];
  },
};

const squeeze: OpDefinition = {
  domain: '',
  opType: 'Squeeze',
  since: 1,
  inputs: [1, 2],
  moves: [0],
  infer(context) {
    const shape = shapeOf(context, 0);
    const axes = inferAxes(context, 1);
    if (shape === undefined || axes === undefined) return [tensorType(dtypeOf(context, 0), undefined)];
    if (axes === 'none') {
      const known = shape.every((dim) => typeof dim === 'number');
      return [tensorType(dtypeOf(context, 0), known ? shape.filter((dim) => dim !== 1) : undefined)];
    }
    const gone = new Set(axes.map((axis) => axisOf(context, axis, shape.length)));
    return [
      tensorType(
        dtypeOf(context, 0),
        shape.filter((_, axis) => !gone.has(axis)),
      ),
    ];
  },
  evaluate(context) {
    const array = context.input(0);
    const axes = evaluateAxes(context);
    const gone = new Set(axes?.map((axis) => normalizeAxis(axis, array.dims.length)));
    const dims = array.dims.filter((dim, axis) => (axes === undefined ? dim !== 1 : !gone.has(axis)));
    return [reshaped(array, dims)];
  },
};

/** Inserts ones so that they end up at these positions of the result. */
function insertOnes<T>(dims: readonly T[], axes: readonly number[], one: T): T[] {
  const rank = dims.length + axes.length;
  const inserted = new Set(axes.map((axis) => normalizeAxis(axis, rank)));
  if (inserted.size !== axes.length || !axes.every(Number.isInteger)) {
    throw new CompilerError('invalid-graph', 'The axes of Unsqueeze must be different whole numbers.');
  }
  const rest = [...dims];
  return Array.from({ length: rank }, (_, axis) => (inserted.has(axis) ? one : (rest.shift() as T)));
}

const unsqueeze: OpDefinition = {
  domain: '',
  opType: 'Unsqueeze',
  since: 1,
  inputs: [1, 2],
  moves: [0],
  infer(context) {
    const shape = shapeOf(context, 0);
    const axes = inferAxes(context, 1);
    if (shape === undefined || axes === undefined || axes === 'none') {
      return [tensorType(dtypeOf(context, 0), undefined)];
    }
    return [tensorType(dtypeOf(context, 0), insertOnes<Dim>(shape, axes, 1))];
  },
  evaluate(context) {
    const array = context.input(0);
    return [reshaped(array, insertOnes(array.dims, evaluateAxes(context) ?? [], 1))];
  },
};

const flatten: OpDefinition = {
  domain: '',
  opType: 'Flatten',
  since: 1,
  inputs: [1, 1],
  moves: [0],
  infer(context) {
    const shape = shapeOf(context, 0);
    if (shape === undefined) return [tensorType(dtypeOf(context, 0), [null, null])];
    const axis = context.attributes.int('axis', 1);
    const at = axis < 0 ? axis + shape.length : axis;
    return [tensorType(dtypeOf(context, 0), [productDim(shape.slice(0, at)), productDim(shape.slice(at))])];
  },
  evaluate(context) {
    const array = context.input(0);
    const axis = context.attributes.int('axis', 1);
    const at = axis < 0 ? axis + array.dims.length : axis;
    return [reshaped(array, [elementCount(array.dims.slice(0, at)), elementCount(array.dims.slice(at))])];
  },
};

const concat: OpDefinition = {
  domain: '',
  opType: 'Concat',
  since: 4,
  inputs: [1, Infinity],
  moves: [0],
  infer(context) {
    const shapes = context.node.inputs.map((_, index) => shapeOf(context, index));
    const rank = shapes.find((shape) => shape !== undefined)?.length;
    const axis = rank === undefined ? undefined : axisOf(context, context.attributes.int('axis'), rank);
    if (rank === undefined || axis === undefined) return [tensorType(firstDtype(context), undefined)];
    const dims = Array.from({ length: rank }, (_, position): Dim => {
      const parts = shapes.map((shape) => shape?.[position] ?? null);
      if (position === axis) return parts.reduce((total, part) => addDims(total, part), 0);
      return parts.find((part) => typeof part === 'number') ?? parts.find((part) => part !== null) ?? null;
    });
    return [tensorType(firstDtype(context), dims)];
  },
  evaluate: (context) => [
    concatenate(
      context.node.inputs.map((_, index) => context.input(index)),
      context.attributes.int('axis'),
    ),
  ],
};

const split: OpDefinition = {
  domain: '',
  opType: 'Split',
  since: 2,
  inputs: [1, 2],
  outputs: [1, Infinity],
  moves: [0],
  infer(context) {
    const shape = shapeOf(context, 0);
    const count = context.node.outputs.length;
    const axis = shape && axisOf(context, context.attributes.int('axis', 0), shape.length);
    if (shape === undefined || axis === undefined) {
      return context.node.outputs.map(() => tensorType(dtypeOf(context, 0), undefined));
    }
    const sizes = context.node.inputs[1] ? context.values[1]?.elements : context.attributes.ints('split');
    const extent = shape[axis] ?? null;
    const even = typeof extent === 'number' ? equalParts(extent, count) : undefined;
    return context.node.outputs.map((_, index) => {
      const part = sizes
        ? (sizes[index] ?? null)
        : context.node.inputs[1]
          ? null
          : (even?.[index] ?? divDims(extent, count));
      return tensorType(dtypeOf(context, 0), withDim(shape, axis, part));
    });
  },
  evaluate(context) {
    const array = context.input(0);
    const axis = normalizeAxis(context.attributes.int('axis', 0), array.dims.length);
    const input = context.inputs[1];
    const sizes =
      (input && toNumbers(input)) ??
      context.attributes.ints('split') ??
      equalParts(array.dims[axis] as number, context.node.outputs.length);
    let from = 0;
    return sizes.map((size) => {
      const part = sliceAxis(array, axis, from, from + size);
      from += size;
      return part;
    });
  },
};

/** Parts of ⌈extent/count⌉, the last one smaller when it does not divide. */
function equalParts(extent: number, count: number): number[] {
  const size = Math.ceil(extent / count);
  return Array.from({ length: count }, (_, i) => Math.max(0, Math.min(size, extent - i * size)));
}

const expand: OpDefinition = {
  domain: '',
  opType: 'Expand',
  since: 8,
  inputs: [2, 2],
  moves: [0],
  infer(context) {
    const target = context.values[1]?.elements;
    const [rank] = shapeOf(context, 1) ?? [];
    const known = target ?? (typeof rank === 'number' ? unknownDims(rank) : undefined);
    return [tensorType(dtypeOf(context, 0), broadcastShapes(context, [shapeOf(context, 0), known]))];
  },
  evaluate(context) {
    const array = context.input(0);
    return [broadcastTo(array, broadcastDims(array.dims, toNumbers(context.input(1))))];
  },
};

const tile: OpDefinition = {
  domain: '',
  opType: 'Tile',
  since: 6,
  inputs: [2, 2],
  moves: [0],
  infer(context) {
    const shape = shapeOf(context, 0);
    const repeats = context.values[1]?.elements;
    return [
      tensorType(
        dtypeOf(context, 0),
        shape?.map((dim, axis) => mulDims(dim, repeats?.[axis] ?? null)),
      ),
    ];
  },
  evaluate(context) {
    const repeats = toNumbers(context.input(1));
    return [
      repeats.reduce(
        (array, count, axis) =>
          count === 1
            ? array
            : count === 0
              ? sliceAxis(array, axis, 0, 0)
              : concatenate(
                  Array.from({ length: count }, () => array),
                  axis,
                ),
        context.input(0),
      ),
    ];
  },
};

/** Shape's `start` and `end` attributes select a range of dims (version 15). */
function shapeRange(context: Pick<InferContext, 'attributes'>, rank: number): [number, number] {
  const clamp = (bound: number): number => Math.min(Math.max(bound < 0 ? bound + rank : bound, 0), rank);
  return [clamp(context.attributes.int('start', 0)), clamp(context.attributes.int('end', rank))];
}

const shapeOp: OpDefinition = {
  domain: '',
  opType: 'Shape',
  since: 1,
  inputs: [1, 1],
  infer(context) {
    const shape = shapeOf(context, 0);
    const length = shape?.slice(...shapeRange(context, shape.length)).length ?? null;
    return [tensorType('int64', [length])];
  },
  propagate(context) {
    const shape = shapeOf(context, 0);
    if (shape === undefined) return [undefined];
    const elements = shape.slice(...shapeRange(context, shape.length));
    return [{ dtype: 'int64', dims: [elements.length], elements }];
  },
  evaluate(context) {
    const { dims } = context.input(0);
    const selected = dims.slice(...shapeRange(context, dims.length));
    return [ndArray('int64', [selected.length], BigInt64Array.from(selected, BigInt))];
  },
};

const size: OpDefinition = {
  domain: '',
  opType: 'Size',
  since: 1,
  inputs: [1, 1],
  infer: () => [tensorType('int64', [])],
  propagate(context) {
    const shape = shapeOf(context, 0);
    return [shape && { dtype: 'int64', dims: [], elements: [productDim(shape)] }];
  },
  evaluate: (context) => [ndArray('int64', [], BigInt64Array.of(BigInt(context.input(0).data.length)))],
};

const identity: OpDefinition = {
  domain: '',
  opType: 'Identity',
  since: 1,
  inputs: [1, 1],
  elementwise: true,
  moves: [0],
  infer: inferSame,
  evaluate: (context) => [context.input(0)],
};

const depthToSpace: OpDefinition = {
  domain: '',
  opType: 'DepthToSpace',
  since: 1,
  inputs: [1, 1],
  moves: [0],
  infer(context) {
    const block = context.attributes.int('blocksize');
    const [n, c, h, w] = shapeOf(context, 0) ?? unknownDims(4);
    const dims = [
      n ?? null,
      divDims(c ?? null, block * block),
      mulDims(h ?? null, block),
      mulDims(w ?? null, block),
    ];
    return [tensorType(dtypeOf(context, 0), dims)];
  },
  evaluate(context) {
    const array = context.input(0);
    const block = context.attributes.int('blocksize');
    const [n, c, h, w] = array.dims as [number, number, number, number];
    const depth = c / (block * block);
    const columnsFirst = context.attributes.string('mode', 'DCR') === 'CRD';
    const parts = columnsFirst ? [n, depth, block, block, h, w] : [n, block, block, depth, h, w];
    const order = columnsFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2];
    return [reshaped(transpose(reshaped(array, parts), order), [n, depth, h * block, w * block])];
  },
};

const spaceToDepth: OpDefinition = {
  domain: '',
  opType: 'SpaceToDepth',
  since: 1,
  inputs: [1, 1],
  moves: [0],
  infer(context) {
    const block = context.attributes.int('blocksize');
    const [n, c, h, w] = shapeOf(context, 0) ?? unknownDims(4);
    const dims = [
      n ?? null,
      mulDims(c ?? null, block * block),
      divDims(h ?? null, block),
      divDims(w ?? null, block),
    ];
    return [tensorType(dtypeOf(context, 0), dims)];
  },
  evaluate(context) {
    const array = context.input(0);
    const block = context.attributes.int('blocksize');
    const [n, c, h, w] = array.dims as [number, number, number, number];
    const parts = reshaped(array, [n, c, h / block, block, w / block, block]);
    const moved = transpose(parts, [0, 3, 5, 1, 2, 4]);
    return [reshaped(moved, [n, c * block * block, h / block, w / block])];
  },
};

const trilu: OpDefinition = {
  domain: '',
  opType: 'Trilu',
  since: 14,
  inputs: [1, 2],
  infer: inferSame,
  evaluate(context) {
    const array = context.input(0);
    const shift = context.inputs[1] ? Number(context.inputs[1].data[0]) : 0;
    const upper = context.attributes.int('upper', 1) === 1;
    const [rows = 1, columns = 1] = array.dims.slice(-2);
    const data = array.data.slice() as Float64Array;
    const zero = (typeof data[0] === 'bigint' ? 0n : 0) as number;
    for (let i = 0; i < data.length; i++) {
      const distance = (i % columns) - (Math.floor(i / columns) % rows);
      if (upper ? distance < shift : distance > shift) data[i] = zero;
    }
    return [{ ...array, data }];
  },
};

/** Operators that look at shapes or rearrange elements. */
export const shapeOps: readonly OpDefinition[] = [
  reshape,
  transposeOp,
  squeeze,
  unsqueeze,
  flatten,
  concat,
  split,
  expand,
  tile,
  shapeOp,
  size,
  identity,
  depthToSpace,
  spaceToDepth,
  trilu,
];
