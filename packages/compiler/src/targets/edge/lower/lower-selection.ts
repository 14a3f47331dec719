import type { Node } from '../../../ir/index.ts';
import { readAttributes } from '../../../ops/index.ts';
import { refuse, type LoweringContext } from './lowering-context.ts';
import { viewRows } from '../program/tensor-view.ts';
import type { Value } from '../program/value.ts';

// Operators that find the places of values: their results are whole numbers (values of kind `index`).

/** ai.onnx ArgMax, ArgMin: along the rows of a buffer, whatever the axis is. */
export function lowerArg(context: LoweringContext, node: Node): void {
  if (context.isBytes(node, 0)) throw refuse(node, `its input "${node.inputs[0]}" is quantized`);
  const attributes = readAttributes(node);
  const view = context.tensor(node, 0);
  const { dims } = view;
  const axis = axisOf(attributes.int('axis', 0), dims.length);
  const x = context.rows(node, view, axis);
  const output: Value = { name: node.outputs[0]!, kind: 'index', rows: x.rows, columns: 1 };
  context.emit({
    op: 'arg-rows',
    x,
    largest: node.opType === 'ArgMax',
    last: attributes.int('select_last_index', 0) === 1,
    output,
  });
  const kept = attributes.int('keepdims', 1) === 1 ? dims.with(axis, 1) : dims.toSpliced(axis, 1);
  context.define(node, viewRows(output, kept, NO_COLUMNS));
}

/** Every dimension is over the rows of a buffer. */
const NO_COLUMNS = -1;

/** ai.onnx TopK with a constant k: x, k? → values, indices; in order whether it has to be or not. */
export function lowerTopK(context: LoweringContext, node: Node): void {
  if (context.isBytes(node, 0)) throw refuse(node, `its input "${node.inputs[0]}" is quantized`);
  const attributes = readAttributes(node);
  const view = context.tensor(node, 0);
  const { dims } = view;
  const axis = axisOf(attributes.int('axis', -1), dims.length);
  const k = attributes.has('k') ? attributes.int('k') : context.constants.scalar(node.inputs[1] ?? '');
  const x = context.rows(node, view, axis);
  if (k > x.columns) throw refuse(node, `it wants ${k} of ${x.columns} values`);
  const output: Value = { name: node.outputs[0]!, kind: 'float', rows: x.rows, columns: k };
  const indices: Value = { name: node.outputs[1]!, kind: 'index', rows: x.rows, columns: k };
  context.emit({ op: 'top-k', x, largest: attributes.int('largest', 1) === 1, output, indices });
  for (const [slot, value] of [output, indices].entries())
    context.define(node, viewRows(value, dims.with(axis, k), axis), slot);
}

/**
 * ai.onnx NonMaxSuppression with constant limits: boxes [B, N, 4], scores [B, C, N], most boxes of a class, thresholds → rows [batch, class, box].
 * The buffer has room for the most rows that there can be; how many there are is known in a run.
 */
export function lowerNonMaxSuppression(context: LoweringContext, node: Node): void {
  const { constants } = context;
  const limit = (slot: number): number | undefined =>
    node.inputs[slot] ? constants.scalar(node.inputs[slot]) : undefined;
  const { dims } = context.tensor(node, 1);
  if (dims.includes('sequence')) throw refuse(node, 'boxes for tokens are not supported');
  const [batch, classes, boxes] = dims as [number, number, number];
  const maxPerClass = Math.min(Math.max(0, limit(2) ?? 0), boxes);
  const rows = batch * classes * maxPerClass;
  const output: Value = { name: node.outputs[0]!, kind: 'index', rows, columns: 3 };
  const count: Value = { name: `${output.name}.count`, kind: 'index', rows: 1, columns: 1 };
  context.emit({
    op: 'suppress-boxes',
    boxes: context.input(node, 0),
    scores: context.input(node, 1),
    spec: {
      batch,
      classes,
      boxes,
      maxPerClass,
      iouThreshold: limit(3) ?? 0,
      scoreThreshold: limit(4) ?? null,
      format: readAttributes(node).int('center_point_box', 0) === 1 ? 'centre' : 'corners',
    },
    output,
    count,
  });
  context.define(node, viewRows(output, [rows, 3]));
  context.setCount(output.name, count);
}

function axisOf(axis: number, rank: number): number {
  return (axis + rank) % rank;
}
