import { denseTensor, typedData, type DenseTensor, type Node } from '../../../ir/index.ts';
import { evaluateNode, readAttributes } from '../../../ops/index.ts';
import { refuse, type LoweringContext } from './lowering-context.ts';
import {
  elementOffsets,
  innermostDim,
  sliceView,
  viewOfOffsets,
  viewRows,
  type TensorView,
} from '../program/tensor-view.ts';
import {
  elementBytes,
  elementKind,
  rowStride,
  type ElementKind,
  type Rows,
  type Value,
} from '../program/value.ts';

// Operators that move elements without computing anything.

/**
 * Any operator whose outputs are elements of its first input: the reference evaluator says which. Where they lie at regular
 * distances the output is a view of the same buffer, or of a dense copy of it.
 */
export function lowerMove(context: LoweringContext, node: Node): void {
  const x = context.tensor(node, 0);
  const dims = fixedDims(node, x);
  const offsets = elementOffsets(x);
  const positions = denseTensor(
    'int32',
    dims,
    offsets.map((_, position) => position),
  );
  const constants = node.inputs.slice(1).map((name) => (name ? context.constants.tensor(name) : undefined));
  const moved = evaluateNode(context.opsets, node, [positions, ...constants]) ?? [];
  moved.forEach((tensor, slot) => {
    const from = typedData(tensor as DenseTensor & { dtype: 'int32' });
    const elements = from.map((position) => offsets[position]!);
    const view =
      viewOfOffsets(x.value, tensor.dims, elements) ??
      context.dense(node, x, (value) => viewOfOffsets(value, tensor.dims, from)) ??
      listedRows(context, node, { value: x.value, dims: tensor.dims, elements });
    if (!view) throw refuse(node, 'its elements do not lie at regular distances');
    context.define(node, view, slot);
  });
}

interface Elements {
  readonly value: Value;
  readonly dims: readonly number[];
  /** Of the buffer, in the tensor's order. */
  readonly elements: Int32Array;
}

/** A copy whose rows are regular, but begin anywhere: along the largest dimension where that is so. */
function listedRows(context: LoweringContext, node: Node, from: Elements): TensorView | undefined {
  const largestFirst = [...from.dims.keys()].toSorted((a, b) => from.dims[b]! - from.dims[a]!);
  for (const columnDim of largestFirst) {
    const rows = regularRows(from, columnDim);
    if (rows === undefined) continue;
    const view = outputRows(context, node, elementKind(from.value), from.dims, columnDim);
    const output = view.value;
    const { starts, step } = rows;
    const loops = {
      from: 0,
      to: 0,
      rows: [{ extent: starts.length, from: 0, to: rowStride(output) }],
      columns: [{ extent: output.columns, from: step, to: 1 }],
    };
    const list = context.constants.list(starts.map((start) => start * elementBytes(output)));
    context.emit({ op: 'copy', x: from.value, loops, list, table: undefined, isInFilled: false, output });
    return view;
  }
  return undefined;
}

/** Where rows along a dimension begin, and the step within them; undefined where that is not one. */
function regularRows(
  { dims, elements }: Elements,
  columnDim: number,
): { starts: Int32Array; step: number } | undefined {
  const columns = dims[columnDim]!;
  const pitch = dims.slice(columnDim + 1).reduce((product, dim) => product * dim, 1);
  const first = (row: number): number => Math.floor(row / pitch) * columns * pitch + (row % pitch);
  const starts = Int32Array.from({ length: elements.length / columns }, (_, row) => elements[first(row)]!);
  const step = columns > 1 ? elements[pitch]! - elements[0]! : 0;
  const isRegular = starts.every((start, row) => {
    for (let column = 1; column < columns; column++)
      if (elements[first(row) + column * pitch] !== start + column * step) return false;
    return true;
  });
  return isRegular ? { starts, step } : undefined;
}

/** A part of a concatenation; bytes may go through a table of 256 first. */
export interface ConcatPart {
  readonly view: TensorView;
  readonly table?: number | undefined;
}

/** ai.onnx Concat along any axis. */
export function lowerConcat(context: LoweringContext, node: Node): void {
  const parts = node.inputs.map((_, slot) => ({ view: context.tensor(node, slot) }));
  concatenate(context, node, parts, readAttributes(node).int('axis'));
}

/** Copies each part to its place along an axis, in the layout that the largest has. */
export function concatenate(
  context: LoweringContext,
  node: Node,
  parts: readonly ConcatPart[],
  given: number,
): void {
  const dims = parts.map(({ view }) => fixedDims(node, view));
  const rank = dims[0]!.length;
  const axis = (given + rank) % rank;
  const extents = dims.map((list) => list[axis]!);
  const joined = dims[0]!.with(
    axis,
    extents.reduce((sum, extent) => sum + extent, 0),
  );
  const sizes = dims.map((list) => list.reduce((product, dim) => product * dim, 1));
  const columnDim = innermostDim(parts[sizes.indexOf(Math.max(...sizes))]!.view);
  const kinds = new Set(parts.map(({ view }) => elementKind(view.value)));
  const [kind = 'float'] = kinds;
  if (kinds.size > 1) throw refuse(node, 'its operands are of different types');
  const target = outputRows(context, node, kind, joined, columnDim);
  let start = 0;
  parts.forEach(({ view, table }, index) => {
    context.copy(node, view, sliceView(target, axis, start, extents[index]!), { table });
    start += extents[index]!;
  });
}

/** ai.onnx Pad: pads, value?, axes?. */
export function lowerPad(context: LoweringContext, node: Node): void {
  const x = context.tensor(node, 0);
  const dims = fixedDims(node, x);
  const mode = readAttributes(node).string('mode', 'constant');
  // The other modes repeat elements that are there.
  if (mode !== 'constant') return lowerMove(context, node);
  const { constants } = context;
  const [, padsName = '', valueName = '', axesName = ''] = node.inputs;
  const pads = constants.numbers(padsName);
  const axes = axesName ? constants.numbers(axesName) : dims.map((_, dim) => dim);
  if (pads.some((pad) => pad < 0)) throw refuse(node, 'negative pads are not supported');
  const before = dims.map(() => 0);
  const padded = [...dims];
  axes.forEach((axis, index) => {
    const dim = (axis + dims.length) % dims.length;
    before[dim] = pads[index]!;
    padded[dim]! += pads[index]! + pads[index + axes.length]!;
  });
  const target = outputRows(context, node, elementKind(x.value), padded, innermostDim(x));
  context.emit({ op: 'fill', value: valueName ? constants.scalar(valueName) : 0, output: target.value });
  const inner = dims.reduce((view, extent, dim) => sliceView(view, dim, before[dim]!, extent), target);
  context.copy(node, x, inner, { isInFilled: true });
}

function outputRows(
  context: LoweringContext,
  node: Node,
  kind: ElementKind,
  dims: readonly number[],
  columnDim: number,
): TensorView {
  const columns = dims[columnDim] ?? 1;
  const rows = dims.reduce((product, dim) => product * dim, 1) / columns;
  return viewRows(context.output(node, { kind, rows, columns }, dims, columnDim), dims, columnDim);
}

function fixedDims(node: Node, { dims }: { readonly dims: readonly Rows[] }): number[] {
  return dims.map((dim) => {
    if (dim === 'sequence') throw refuse(node, 'tokens can only be processed in the order they come');
    return dim;
  });
}
