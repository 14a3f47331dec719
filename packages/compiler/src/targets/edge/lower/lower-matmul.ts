import type { Node } from '../../../ir/index.ts';
import { packFloatWeights } from '../kernels/index.ts';
import { refuse, type LoweringContext } from './lowering-context.ts';
import type { Address } from '../program/program.ts';
import {
  broadcastView,
  denseRow,
  elementOffsets,
  isSameLayout,
  isWhole,
  sliceView,
  viewRows,
  type TensorView,
} from '../program/tensor-view.ts';
import { roundUp, type Value } from '../program/value.ts';

/** ai.onnx MatMul of matrices, one or several in a batch (heads, groups): the second is packed as weights are. */
export function lowerMatMul(context: LoweringContext, node: Node): void {
  const views = [context.tensor(node, 0), constantView(context, node) ?? context.tensor(node, 1)] as const;
  if (views.some(({ dims }) => dims.length < 2 || dims.includes('sequence')))
    throw refuse(node, 'only products of matrices of fixed sizes are supported');
  const batch = batchOf(node, views);
  const [left, right] = views.map((view) => batched(context, node, view, batch)) as [TensorView, TensorView];
  const [m, n] = [left.dims.at(-2) as number, right.dims.at(-1) as number];
  const count = batch.reduce((product, dim) => product * dim, 1);
  const dims = [...batch, m, n];
  const output = context.output(node, { kind: 'float', rows: count * m, columns: n }, dims);
  if (count === 1) return multiply(context, node, matrixAt(left, 0), matrixAt(right, 0), output);
  const target = viewRows(output, dims);
  for (let index = 0; index < count; index++) {
    const part: Value = { name: `${output.name}.${index}`, kind: 'float', rows: m, columns: n };
    multiply(context, node, matrixAt(left, index), matrixAt(right, index), part);
    context.copy(node, viewRows(part, [m, n]), matrixAt(target, index));
  }
}

/** The second operand where it is a constant: the elements of a buffer that only the compiler has. */
function constantView(context: LoweringContext, node: Node): TensorView | undefined {
  if (!context.isConstant(node, 1)) return undefined;
  const [, name = ''] = node.inputs;
  const dims = context.constants.dims(name);
  const columns = dims.reduce((product, dim) => product * dim, 1);
  return denseRow({ name, kind: 'dense', rows: 1, columns }, dims);
}

/** The dimensions in front of the matrices, as they repeat each other. */
function batchOf(node: Node, [left, right]: readonly [TensorView, TensorView]): number[] {
  const rank = Math.max(left.dims.length, right.dims.length) - 2;
  return Array.from({ length: rank }, (_, dim) => {
    const [a, b] = [left, right].map(({ dims }) => (dims[dim - rank + dims.length - 2] ?? 1) as number);
    if (a !== b && a !== 1 && b !== 1) throw refuse(node, 'its batches are of different sizes');
    return a === 1 ? b! : a!;
  });
}

/** A tensor with all dimensions of the batch, from whose matrices each can be taken. */
function batched(
  context: LoweringContext,
  node: Node,
  view: TensorView,
  batch: readonly number[],
): TensorView {
  const isSliceable = view.axes.slice(0, -2).every((axes) => axes.length <= 1);
  const source = isSliceable ? view : context.relaid(node, view, view.dims.length - 1);
  return broadcastView(source, [...batch, ...view.dims.slice(-2)])!;
}

/** One matrix of a batch, counted in the order of the tensor. */
function matrixAt(view: TensorView, index: number): TensorView {
  let [matrix, rest] = [view, index];
  for (let dim = view.dims.length - 3; dim >= 0; dim--) {
    const extent = view.dims[dim] as number;
    matrix = sliceView(matrix, dim, rest % extent, 1);
    rest = Math.floor(rest / extent);
  }
  return { ...matrix, dims: matrix.dims.slice(-2), axes: matrix.axes.slice(-2) };
}

function multiply(
  context: LoweringContext,
  node: Node,
  left: TensorView,
  right: TensorView,
  output: Value,
): void {
  const [k, n] = right.dims as [number, number];
  const panels = context.isConstant(node, 1)
    ? packConstant(context, node.inputs[1]!, right)
    : packColumns(context, node, right, `${output.name}.panels`);
  const weight = { kind: 'float32', k, n, panels, bias: context.constants.bias('', n) } as const;
  context.emit({ op: 'linear', x: context.rows(node, left), weight, activation: 'none', output });
}

function packConstant({ constants }: LoweringContext, name: string, view: TensorView): Address {
  const [k, n] = view.dims as [number, number];
  return constants.packed(name, `matrix ${view.offset}`, (values) =>
    packFloatWeights(
      Float32Array.from(elementOffsets(view), (at) => values[at]!),
      k,
      n,
    ),
  );
}

/** Panels of eight columns. The columns may be rows of a buffer (a transposed matrix), as keys are, or lie across them, as values do. */
function packColumns(context: LoweringContext, node: Node, view: TensorView, name: string): Value {
  const { value, dims } = view;
  const [k, n] = dims as [number, number];
  const areRows =
    value.kind === 'float' && isWhole(view) && isSameLayout(view, viewRows(value, dims, dims.length - 2));
  const x = areRows ? value : context.rows(node, view);
  const output: Value = areRows
    ? { name, kind: 'keys', rows: n, columns: k }
    : { name, kind: 'values', rows: k, columns: roundUp(n, 8) };
  context.emit({ op: areRows ? 'pack-keys' : 'pack-values', x, heads: 1, output });
  return output;
}
