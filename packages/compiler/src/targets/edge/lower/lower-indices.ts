import type { Node } from '../../../ir/index.ts';
import { findOperator, opsetVersion, readAttributes } from '../../../ops/index.ts';
import { refuse, type LoweringContext } from './lowering-context.ts';
import { permuteView, viewRows } from '../program/tensor-view.ts';
import { elementKind, type Value } from '../program/value.ts';

// What is done with indices that a model computes (lower-selection.ts): they are moved, cast, and rows are gathered by them.

/** Refuses whole numbers where an operator would compute with them. */
export function checkIndices(context: LoweringContext, node: Node): void {
  if (node.opType === 'Cast' || isIndexDivision(context, node)) return;
  if (findOperator(node.domain, node.opType, opsetVersion(context.opsets, node.domain))?.moves) return;
  const name = node.inputs.find((input, slot) => context.isIndex(input) && !context.isConstant(node, slot));
  if (name !== undefined) throw refuse(node, `its input "${name}" holds whole numbers`);
}

/** The axes whose positions an operator does not leave where they were. */
const CHANGED_AXES: Readonly<Record<string, (context: LoweringContext, node: Node) => readonly number[]>> = {
  Cast: () => [],
  Identity: () => [],
  Concat: (_, node) => [readAttributes(node).int('axis')],
  Slice: ({ constants }, node) => (node.inputs[3] ? constants.numbers(node.inputs[3]) : [0]),
  Squeeze: listedAxes,
  Unsqueeze: listedAxes,
  // Where the indices vary in number, their first axis must take the place of the first of the data.
  Gather: (context, node) =>
    context.countOf(node.inputs[0]!) === undefined && readAttributes(node).int('axis', 0) === 0
      ? []
      : [readAttributes(node).int('axis', 0), ...(context.countOf(node.inputs[1]!) ? [0] : [])],
  GatherND: (context, node) => (context.countOf(node.inputs[0]!) ? [0] : []),
};

/** An input from opset 13 on, an attribute before; without them axes of 1 are removed, the first perhaps. */
function listedAxes({ constants }: LoweringContext, node: Node): readonly number[] {
  return node.inputs[1] ? constants.numbers(node.inputs[1]) : (readAttributes(node).ints('axes') ?? [0]);
}

/**
 * How many positions the first dimension of a node's outputs has in a run, where that varies (after NonMaxSuppression). Refuses operators that
 * would mix existing rows with the room behind them.
 */
export function countOfOutputs(context: LoweringContext, node: Node): Value | undefined {
  const counts = new Set(node.inputs.flatMap((input) => context.countOf(input) ?? []));
  const [count] = counts;
  if (count === undefined) return undefined;
  const axes = CHANGED_AXES[node.opType]?.(context, node);
  const rank = context.tensor(node, 0).dims.length + (node.opType === 'Unsqueeze' ? 1 : 0);
  if (counts.size > 1 || axes === undefined || axes.some((axis) => axis === 0 || axis === -rank))
    throw refuse(node, 'the number of its rows is known in a run only');
  return count;
}

/** ONNX's numbers of types. */
const FLOAT32 = 1;
const UINT8 = 2;
const WHOLE_TYPES: ReadonlySet<number> = new Set([6, 7, 12, 13]);

/** ai.onnx Cast of whole numbers; types of 32 and 64 bits are one. */
export function lowerCast(context: LoweringContext, node: Node): void {
  const to = readAttributes(node).int('to');
  const view = context.tensor(node, 0);
  const isIndex = view.value.kind === 'index';
  if (isIndex ? WHOLE_TYPES.has(to) : view.value.kind !== 'bytes' && to === FLOAT32)
    return context.define(node, view);
  if (!isIndex || (to !== FLOAT32 && to !== UINT8))
    throw refuse(node, 'only whole numbers can be cast, to float32, uint8, int32 or int64');
  const x = context.whole(node, 0);
  const isFloat = to === FLOAT32;
  const output = context.outputAs(node, x, isFloat ? 'float' : 'index');
  context.emit({ op: 'map-indices', x: x.value, map: { kind: isFloat ? 'float32' : 'uint8' }, output });
}

/** Whether a node is Div or Mod of indices by a constant. */
export function isIndexDivision(context: LoweringContext, node: Node): boolean {
  const { opType, inputs } = node;
  return (opType === 'Div' || opType === 'Mod') && context.isIndex(inputs[0]!) && context.isConstant(node, 1);
}

/** ai.onnx Div, Mod: the row and the column of an index into a flattened matrix. */
export function lowerIndexDivision(context: LoweringContext, node: Node): void {
  if (!isIndexDivision(context, node)) throw refuse(node, 'only indices can be divided so, by a constant');
  const by = context.constants.scalar(node.inputs[1]!);
  if (by <= 0) throw refuse(node, `indices cannot be divided by ${by}`);
  const x = context.whole(node, 0);
  const output = context.outputAs(node, x, 'index');
  const kind = node.opType === 'Div' ? 'quotient' : 'remainder';
  context.emit({ op: 'map-indices', x: x.value, map: { kind, by }, output });
}

/** ai.onnx GatherElements by computed indices with the other extents of the data. */
export function lowerGatherElements(context: LoweringContext, node: Node): void {
  if (context.isBytes(node, 0)) throw refuse(node, `its input "${node.inputs[0]}" is quantized`);
  const [data, index] = [context.tensor(node, 0), indexView(context, node)];
  const rank = data.dims.length;
  const axis = (readAttributes(node).int('axis', 0) + rank) % rank;
  const others = [...data.dims.keys()].filter((dim) => dim !== axis);
  if (others.some((dim) => data.dims[dim] !== index.dims[dim]) || data.dims.includes('sequence'))
    throw refuse(node, 'its indices do not have the other extents of the data');
  // The axis is over the rows, innermost, and one of the others along them.
  const order = [...others.slice(0, -1), axis, ...others.slice(-1)];
  const columnDim = others.length === 0 ? NO_COLUMNS : rank - 1;
  const x = context.rows(node, permuteView(data, order), columnDim);
  const indices = context.rows(node, permuteView(index, order), columnDim);
  const output: Value = {
    name: node.outputs[0]!,
    kind: elementKind(x),
    rows: indices.rows,
    columns: x.columns,
  };
  const [extent, count] = [data, index].map(({ dims }) => dims[axis] as number) as [number, number];
  context.emit({ op: 'gather-elements', x, indices, extent, count, output });
  const made = viewRows(
    output,
    order.map((dim) => index.dims[dim]!),
    columnDim,
  );
  const places = index.dims.map((_, dim) => order.indexOf(dim));
  context.define(node, permuteView(made, places));
}

/** ai.onnx Gather by computed indices, along the first axis that is longer than 1. */
export function lowerGatherRows(context: LoweringContext, node: Node): void {
  const { dims } = context.tensor(node, 0);
  const given = readAttributes(node).int('axis', 0);
  const axis = (given + dims.length) % dims.length;
  if (dims.slice(0, axis).some((dim) => dim !== 1))
    throw refuse(node, 'rows can only be gathered along the first axis');
  const view = indexView(context, node);
  const indices = context.rows(node, view, NO_COLUMNS);
  gather(context, node, { indices, depth: axis + 1, dims: [...dims.slice(0, axis), ...view.dims] });
}

/** ai.onnx GatherND by computed indices [..., depth]: each names a row of the first `depth` dimensions. */
export function lowerGatherNd(context: LoweringContext, node: Node): void {
  if (readAttributes(node).int('batch_dims', 0) !== 0) throw refuse(node, 'batch_dims are not supported');
  const view = indexView(context, node);
  const indices = context.rows(node, view);
  gather(context, node, { indices, depth: indices.columns, dims: view.dims.slice(0, -1) });
}

/** Every dimension is over the rows of a buffer. */
const NO_COLUMNS = -1;

function indexView(context: LoweringContext, node: Node): ReturnType<LoweringContext['tensor']> {
  const view = context.tensor(node, 1);
  if (view.value.kind !== 'index')
    throw refuse(node, `its indices "${node.inputs[1]}" are an input of the model`);
  return view;
}

interface Gathering {
  readonly indices: Value;
  /** Dimensions of the data that the indices name. */
  readonly depth: number;
  /** Of the output, up to what a row has. */
  readonly dims: readonly (number | 'sequence')[];
}

function gather(context: LoweringContext, node: Node, { indices, depth, dims }: Gathering): void {
  const view = context.tensor(node, 0);
  const [named, rest] = [view.dims.slice(0, depth), view.dims.slice(depth)];
  if (context.isBytes(node, 0)) throw refuse(node, `its input "${node.inputs[0]}" is quantized`);
  if (named.includes('sequence') || rest.length > 1)
    throw refuse(node, 'only rows of one dimension can be gathered');
  const columnDim = rest.length === 0 ? NO_COLUMNS : depth;
  const x = context.rows(node, view, columnDim);
  // Leading dimensions of 1 are not counted by the indices of a Gather.
  const counted = (named as number[]).slice(-indices.columns);
  const axes = counted.map((extent, axis) => ({
    extent,
    rows: counted.slice(axis + 1).reduce((product, dim) => product * dim, 1),
  }));
  const kind = elementKind(x);
  const output: Value = { name: node.outputs[0]!, kind, rows: indices.rows, columns: x.columns };
  context.emit({ op: 'gather-rows', x, indices, axes, output });
  const outputDims = [...dims, ...rest];
  const outputColumn = rest.length === 0 ? NO_COLUMNS : outputDims.length - 1;
  context.define(node, viewRows(output, outputDims, outputColumn));
}
