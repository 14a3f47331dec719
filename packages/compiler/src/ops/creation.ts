import type { Shape, Tensor, TensorType } from '../ir/index.ts';
import { CompilerError } from '../diagnostics/index.ts';
import { float32Tensor, int64Tensor, subDims } from '../ir/index.ts';
import { dtypeAttribute } from './cast.ts';
import { normalizeAxis, aroundAxis } from './indexing.ts';
import { dtypeOf, firstDtype, shapeOf, tensorType, unknownDims } from './inference.ts';
import { fromNumbers, fromTensor, ndArray, toNumbers, toScalar, type NdArray } from './nd-array.ts';
import type { InferContext, NodeContext, OpDefinition } from './op-definition.ts';

/** The tensor of a Constant node in any of its spellings. */
export function constantTensor({ node, attributes }: Pick<NodeContext, 'node' | 'attributes'>): Tensor {
  const tensor = attributes.tensor('value');
  if (tensor) return tensor;
  if (attributes.has('value_int')) return int64Tensor([], [attributes.int('value_int')]);
  if (attributes.has('value_float')) return float32Tensor([], [attributes.float('value_float')]);
  const ints = attributes.ints('value_ints');
  if (ints) return int64Tensor([ints.length], ints);
  const floats = attributes.floats('value_floats');
  if (floats) return float32Tensor([floats.length], floats);
  const string = node.attributes.get('value_string');
  if (string?.kind === 'string')
    return { kind: 'string', dtype: 'string', dims: [], strings: [string.value] };
  const strings = node.attributes.get('value_strings');
  if (strings?.kind === 'strings') {
    return { kind: 'string', dtype: 'string', dims: [strings.value.length], strings: strings.value };
  }
  const sparse = node.attributes.get('sparse_value');
  if (sparse?.kind === 'sparse-tensor') return sparse.value;
  throw new CompilerError('invalid-graph', 'A Constant node has no value attribute.', {
    at: { node: node.name || node.opType },
  });
}

const constant: OpDefinition = {
  domain: '',
  opType: 'Constant',
  since: 1,
  inputs: [0, 0],
  infer(context) {
    const tensor = constantTensor(context);
    return [tensorType(tensor.dtype, tensor.dims)];
  },
  evaluate: (context) => [fromTensor(constantTensor(context))],
};

/** The element that ConstantOfShape repeats; float32 zero by default. */
function fillElement(context: NodeContext): NdArray {
  const tensor = context.attributes.tensor('value');
  return tensor ? fromTensor(tensor) : ndArray('float32', [1]);
}

function shapeFromInput(context: InferContext, index: number): Shape | undefined {
  const value = context.values[index];
  if (value) return value.elements;
  const [rank] = shapeOf(context, index) ?? [];
  return typeof rank === 'number' ? unknownDims(rank) : undefined;
}

const constantOfShape: OpDefinition = {
  domain: '',
  opType: 'ConstantOfShape',
  since: 9,
  inputs: [1, 1],
  infer: (context) => [
    tensorType(context.attributes.tensor('value')?.dtype ?? 'float32', shapeFromInput(context, 0)),
  ],
  evaluate(context) {
    const dims = toNumbers(context.input(0));
    const fill = fillElement(context);
    const { data } = ndArray(fill.dtype, dims);
    return [{ dtype: fill.dtype, dims, data: (data as Float64Array).fill(fill.data[0] as number) }];
  },
};

const range: OpDefinition = {
  domain: '',
  opType: 'Range',
  since: 11,
  inputs: [3, 3],
  infer(context): readonly (TensorType | undefined)[] {
    const [start, limit, delta] = [0, 1, 2].map((index) => context.values[index]?.elements[0] ?? null);
    const known = [start, limit, delta].every((bound) => typeof bound === 'number');
    if (known) {
      const count = rangeLength(start as number, limit as number, delta as number);
      return [tensorType(firstDtype(context), [count])];
    }
    const extent = delta === 1 ? subDims(limit ?? null, start ?? null) : null;
    return [tensorType(firstDtype(context), [extent ?? context.freshDim('range')])];
  },
  evaluate(context) {
    const [start, limit, delta] = [0, 1, 2].map((index) => toScalar(context.input(index))) as [
      number,
      number,
      number,
    ];
    const count = rangeLength(start, limit, delta);
    const values = Array.from({ length: count }, (_, i) => start + i * delta);
    return [fromNumbers(context.input(0).dtype, [count], values)];
  },
};

function rangeLength(start: number, limit: number, delta: number): number {
  return Math.max(0, Math.ceil((limit - start) / delta));
}

const eyeLike: OpDefinition = {
  domain: '',
  opType: 'EyeLike',
  since: 9,
  inputs: [1, 1],
  infer: (context) => [
    tensorType(
      dtypeAttribute(context.attributes, 'dtype', dtypeOf(context, 0) ?? 'float32'),
      shapeOf(context, 0),
    ),
  ],
  evaluate(context) {
    const input = context.input(0);
    const [rows = 0, columns = 0] = input.dims;
    const shift = context.attributes.int('k', 0);
    const values = new Float64Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      const column = row + shift;
      if (column >= 0 && column < columns) values[row * columns + column] = 1;
    }
    return [fromNumbers(dtypeAttribute(context.attributes, 'dtype', input.dtype), input.dims, values)];
  },
};

const oneHot: OpDefinition = {
  domain: '',
  opType: 'OneHot',
  since: 9,
  inputs: [3, 3],
  infer(context) {
    const shape = shapeOf(context, 0);
    const depth = context.values[1]?.elements[0] ?? null;
    if (shape === undefined) return [tensorType(dtypeOf(context, 2), undefined)];
    const at = normalizeAxis(context.attributes.int('axis', -1), shape.length + 1);
    return [tensorType(dtypeOf(context, 2), shape.toSpliced(at, 0, depth))];
  },
  evaluate(context) {
    const indices = toNumbers(context.input(0));
    const depth = toScalar(context.input(1));
    const values = context.input(2);
    const { dims } = context.input(0);
    const at = normalizeAxis(context.attributes.int('axis', -1), dims.length + 1);
    const outDims = dims.toSpliced(at, 0, depth);
    const { outer, inner } = aroundAxis(outDims, at);
    const out = ndArray(values.dtype, outDims);
    const data = out.data as Float64Array;
    const [off, on] = [values.data[0] as number, values.data[1] as number];
    data.fill(off);
    for (let i = 0; i < outer * inner; i++) {
      const index = indices[i] as number;
      const wanted = index < 0 ? index + depth : index;
      if (wanted < 0 || wanted >= depth) continue;
      data[(Math.floor(i / inner) * depth + wanted) * inner + (i % inner)] = on;
    }
    return [out];
  },
};

function random(opType: string, like: boolean): OpDefinition {
  return {
    domain: '',
    opType,
    since: 1,
    inputs: like ? [1, 1] : [0, 0],
    deterministic: false,
    infer(context) {
      const dtype = dtypeAttribute(
        context.attributes,
        'dtype',
        (like ? dtypeOf(context, 0) : undefined) ?? 'float32',
      );
      return [tensorType(dtype, like ? shapeOf(context, 0) : context.attributes.ints('shape'))];
    },
  };
}

/** Operators that make tensors from attributes or shapes. */
export const creationOps: readonly OpDefinition[] = [
  constant,
  constantOfShape,
  range,
  eyeLike,
  oneHot,
  random('RandomNormal', false),
  random('RandomUniform', false),
  random('RandomNormalLike', true),
  random('RandomUniformLike', true),
  random('Bernoulli', true),
];
