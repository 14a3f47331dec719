import type { Node } from '../../../ir/index.ts';
import { readAttributes } from '../../../ops/index.ts';
import type { Reduction } from '../kernels/index.ts';
import { refuse, type LoweringContext } from './lowering-context.ts';
import { innermostDim, permuteView, viewRows, type TensorView } from '../program/tensor-view.ts';
import type { Value } from '../program/value.ts';

// Float32 reductions over any axes.

interface Reducing {
  readonly reduction: Reduction;
  /** Of each element before. */
  readonly before?: 'abs' | 'square';
  /** Of each result. */
  readonly after?: 'sqrt' | 'log';
}

const REDUCTIONS: Readonly<Record<string, Reducing>> = {
  ReduceSum: { reduction: 'sum' },
  ReduceMean: { reduction: 'mean' },
  ReduceMin: { reduction: 'min' },
  ReduceMax: { reduction: 'max' },
  ReduceProd: { reduction: 'product' },
  ReduceL1: { before: 'abs', reduction: 'sum' },
  ReduceL2: { before: 'square', reduction: 'sum', after: 'sqrt' },
  ReduceSumSquare: { before: 'square', reduction: 'sum' },
  ReduceLogSum: { reduction: 'sum', after: 'log' },
};

const POOLINGS: Readonly<Record<string, Reducing>> = {
  GlobalAveragePool: { reduction: 'mean' },
  GlobalMaxPool: { reduction: 'max' },
};

export const REDUCTION_OPERATORS: readonly string[] = Object.keys(REDUCTIONS);

/** ai.onnx Reduce…: x, axes?. */
export function lowerReduction(context: LoweringContext, node: Node): void {
  const attributes = readAttributes(node);
  const { dims } = context.tensor(node, 0);
  const [, axesName = ''] = node.inputs;
  const given = axesName ? context.constants.numbers(axesName) : (attributes.ints('axes') ?? []);
  const isNone = given.length === 0 && attributes.int('noop_with_empty_axes', 0) === 1;
  const axes = given.length === 0 && !isNone ? [...dims.keys()] : given;
  reduce(context, node, REDUCTIONS[node.opType]!, {
    axes: new Set(axes.map((axis) => (axis + dims.length) % dims.length)),
    keepsDims: attributes.int('keepdims', 1) === 1,
  });
}

/** GlobalAveragePool, GlobalMaxPool: over all axes behind the channels. */
export function lowerGlobalPool(context: LoweringContext, node: Node): void {
  const { dims } = context.tensor(node, 0);
  const axes = new Set([...dims.keys()].slice(2));
  reduce(context, node, POOLINGS[node.opType]!, { axes, keepsDims: true });
}

/** Reduced dimensions must be the innermost of the rows, and a dimension that stays along them. */
function reduce(
  context: LoweringContext,
  node: Node,
  { before, reduction, after }: Reducing,
  { axes, keepsDims }: { axes: ReadonlySet<number>; keepsDims: boolean },
): void {
  if (context.isBytes(node, 0)) throw refuse(node, `its input "${node.inputs[0]}" is quantized`);
  if (context.hasTokens(node, 0)) throw refuse(node, 'reductions of tokens are not supported');
  const view = context.tensor(node, 0);
  const kept = [...view.dims.keys()].filter((dim) => !axes.has(dim));
  const column = innermostOf(view, kept);
  const others = kept.filter((dim) => dim !== column);
  const order = [...others, ...axes, ...(column === undefined ? [] : [column])];
  const source = context.rows(node, permuteView(view, order), column === undefined ? -1 : order.length - 1);
  const groups = others.reduce((product, dim) => product * (view.dims[dim] as number), 1);
  const [output = ''] = node.outputs;
  const shape = { kind: 'float', rows: groups, columns: source.columns } as const;
  const reduced: Value = { name: after ? `${output}.reduced` : output, ...shape };
  context.emit({ op: 'reduce-rows', x: prepared(context, source, before), reduction, output: reduced });
  const result: Value = after ? { name: output, ...shape } : reduced;
  if (after) context.emit({ op: 'activation', x: reduced, activation: after, output: result });

  const made = viewRows(
    result,
    [...others, column].map((dim) => (dim === undefined ? 1 : view.dims[dim]!)),
  );
  const dims = [...view.dims.keys()].filter((dim) => keepsDims || !axes.has(dim));
  const places = dims.map((dim) => [...others, column].indexOf(dim));
  context.define(node, {
    ...made,
    dims: places.map((at) => (at < 0 ? 1 : made.dims[at]!)),
    axes: places.map((at) => (at < 0 ? [] : made.axes[at]!)),
  });
}

/** Of some dimensions the one whose neighbours are closest in memory. */
function innermostOf(view: TensorView, dims: readonly number[]): number | undefined {
  return dims.length === 0 ? undefined : dims[innermostDim(permuteView(view, dims))];
}

function prepared(context: LoweringContext, x: Value, before: Reducing['before']): Value {
  if (before === undefined) return x;
  const output: Value = { name: `${x.name}.${before}`, kind: 'float', rows: x.rows, columns: x.columns };
  if (before === 'abs') context.emit({ op: 'activation', x, activation: before, output });
  else context.emit({ op: 'binary', operator: 'mul', a: { value: x }, b: { value: x }, output });
  return output;
}
