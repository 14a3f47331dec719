import type { Node } from '../../ir/index.ts';
import { refuse, type LoweringContext } from './lowering-context.ts';
import { isSameLayout, isWhole, viewRows, type TensorView } from './tensor-view.ts';
import { roundUp, type Value } from './value.ts';

/** ai.onnx MatMul of two matrices that are both computed: the second is packed as the weights of a layer are. */
export function lowerMatMul(context: LoweringContext, node: Node): void {
  const right = context.tensor(node, 1);
  const left = context.tensor(node, 0);
  for (const { dims } of [left, right]) {
    if (
      dims.length < 2 ||
      !dims.every((dim, axis) => dim !== 'sequence' && (dim === 1 || axis >= dims.length - 2))
    )
      throw refuse(node, 'only products of two matrices of fixed sizes are supported');
  }
  const [k, n] = right.dims.slice(-2) as [number, number];
  const x = context.input(node, 0);
  const panels = packColumns(context, node, right, [k, n]);
  const weight = { kind: 'float32', k, n, panels, bias: context.constants.bias('', n) } as const;
  const output = context.outputLike(node, 0, n);
  context.emit({ op: 'linear', x, weight, activation: 'none', output });
}

/** Panels of eight columns. The columns may be rows of a buffer (a transposed matrix), as keys are, or lie across them, as values do. */
function packColumns(
  context: LoweringContext,
  node: Node,
  view: TensorView,
  [k, n]: readonly [number, number],
): Value {
  const { value, dims } = view;
  const name = `${node.outputs[0]}.panels`;
  const areRows =
    value.kind === 'float' && isWhole(view) && isSameLayout(view, viewRows(value, dims, dims.length - 2));
  const x = areRows ? value : context.rows(node, view);
  const output: Value = areRows
    ? { name, kind: 'keys', rows: n, columns: k }
    : { name, kind: 'values', rows: k, columns: roundUp(n, 8) };
  context.emit({ op: areRows ? 'pack-keys' : 'pack-values', x, heads: 1, output });
  return output;
}
