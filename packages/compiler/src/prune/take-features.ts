import { float32Tensor, typedData, type Node, type Tensor } from '../ir/index.ts';
import type { GraphView } from '../rewrite/index.ts';
import { linearBias, linearWeight } from './encoders/encoder-layers.ts';

/** A Linear in another form, with its new constants. */
export interface ChangedLinear {
  readonly node: Node;
  readonly initializers: readonly (readonly [string, Tensor])[];
}

/** The Linear with only these of its outputs. */
export function takeOutputs(node: Node, columns: readonly number[], index: GraphView): ChangedLinear {
  const weight = linearWeight(node, index);
  const [rows = 0, width = 0] = weight.dims;
  const from = typedData(weight);
  const to = new Float32Array(rows * columns.length);
  for (let row = 0; row < rows; row++)
    for (const [at, column] of columns.entries()) to[row * columns.length + at] = from[row * width + column]!;
  const bias = linearBias(node, index);
  return withConstants(
    node,
    index,
    to,
    Float32Array.from(columns, (column) => bias[column]!),
  );
}

/** The Linear with only these of its inputs. */
export function takeInputs(node: Node, rows: readonly number[], index: GraphView): ChangedLinear {
  const weight = linearWeight(node, index);
  const width = weight.dims[1] ?? 0;
  const from = typedData(weight);
  const to = new Float32Array(rows.length * width);
  for (const [at, row] of rows.entries()) to.set(from.subarray(row * width, (row + 1) * width), at * width);
  return withConstants(node, index, to, linearBias(node, index));
}

/** The Linear with another weight [K,N] and bias [N]. */
export function withConstants(
  node: Node,
  index: GraphView,
  weight: Float32Array,
  bias: Float32Array,
): ChangedLinear {
  const [x = '', weightName = '', biasName = ''] = node.inputs;
  const names = [weightName, biasName || `${weightName}_bias`].map((name) =>
    index.freshName(`${name}_pruned`),
  );
  const [newWeight = '', newBias = ''] = names;
  return {
    node: { ...node, inputs: [x, newWeight, newBias] },
    initializers: [
      [newWeight, float32Tensor([weight.length / bias.length, bias.length], weight)],
      [newBias, float32Tensor([bias.length], bias)],
    ],
  };
}
