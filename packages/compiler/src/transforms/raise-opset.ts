import { CompilerError, type Diagnostic } from '../diagnostics/index.ts';
import {
  float32Tensor,
  int64Tensor,
  type Attribute,
  type Graph,
  type Model,
  type Node,
  type Tensor,
} from '../ir/index.ts';
import { inferTypes } from '../ops/index.ts';
import {
  defineTransform,
  LOSSLESS,
  rewriteGraph,
  subgraphsOf,
  type Edit,
  type GraphView,
  type Transform,
} from '../rewrite/index.ts';
import { attributes, floatAttribute, intAttribute, stringAttribute } from './node-attributes.ts';
import type { RuleContext } from './rule-transform.ts';

export interface RaiseOpsetOptions {
  /** Version of ai.onnx to raise the model to; a newer model keeps its own. Default 18. */
  readonly opset?: number;
}

export const RAISE_OPSET_DEFAULTS: Required<RaiseOpsetOptions> = { opset: 18 };

/** Models below it broadcast by attribute; there are none to be had any more. */
const OLDEST_OPSET = 7;

/**
 * Rewrites operators that older versions of ai.onnx spell differently (attributes that became inputs, Upsample, Softmax over
 * flattened axes), so that later transforms know one spelling. A model with an operator that it cannot rewrite stays as
 * it is, with the warning `opset-not-raised`.
 * @throws CompilerError `bad-option` for an opset below 13 or above 18.
 */
export function raiseOpset(options: RaiseOpsetOptions = {}): Transform {
  const { opset } = { ...RAISE_OPSET_DEFAULTS, ...options };
  if (!Number.isInteger(opset) || opset < 13 || opset > 18)
    throw new CompilerError('bad-option', `raiseOpset: opset must be 13 to 18, got ${opset}`);
  return defineTransform({
    name: 'raiseOpset',
    description: 'operators of older versions → their present spelling',
    tolerance: LOSSLESS,
    apply: (model) => {
      const present = model.opsets.get('') ?? 1;
      if (present >= opset) return { edits: 0 };
      const { types } = inferTypes(model);
      const step: Step = { present, opset, typeOf: (value) => types.get(value) };
      const problem = present < OLDEST_OPSET ? `it has opset ${present}` : firstProblem(model.graph, step);
      if (problem !== undefined) return { edits: 0, diagnostics: [notRaised(problem)] };
      return { edits: 1 + raise(model, step) };
    },
  });
}

interface Step {
  readonly present: number;
  readonly opset: number;
  readonly typeOf: RuleContext['typeOf'];
}

/** The node in its new spelling with the constants that it reads; undefined when it is spelled so already. */
type Spelling = (node: Node, step: Step) => Respelled | undefined;

interface Respelled {
  readonly node: Node;
  /** Constants for inputs: suffix and tensor by position. */
  readonly constants: ReadonlyMap<number, readonly [string, Tensor]>;
}

function raise(model: Model, step: Step): number {
  const rules = Object.entries(SPELLINGS).map(([operator, spelling]) => ({
    name: operator,
    operators: [operator],
    match: (node: Node, graph: GraphView) => editFor(spelling(node, step), node, graph),
  }));
  const { edits } = rewriteGraph(model.graph, rules);
  model.opsets.set('', step.opset);
  return edits;
}

function editFor(respelled: Respelled | undefined, node: Node, graph: GraphView): Edit | undefined {
  if (respelled === undefined) return undefined;
  const inputs = [...respelled.node.inputs];
  const initializers = new Map<string, Tensor>();
  for (const [position, [suffix, tensor]] of respelled.constants) {
    const name = graph.freshName(`${node.outputs[0]}.${suffix}`);
    initializers.set(name, tensor);
    while (inputs.length < position) inputs.push('');
    inputs[position] = name;
  }
  return {
    reason: `${node.opType} respelled`,
    remove: [node],
    add: [{ ...respelled.node, inputs }],
    initializers,
  };
}

/** Reductions whose axes became an input in opset 18; ReduceSum's in 13. */
const REDUCTIONS = [
  'ReduceL1',
  'ReduceL2',
  'ReduceLogSum',
  'ReduceLogSumExp',
  'ReduceMax',
  'ReduceMean',
  'ReduceMin',
  'ReduceProd',
  'ReduceSumSquare',
];

const SPELLINGS: Readonly<Record<string, Spelling>> = {
  Squeeze: axesToInput(13),
  Unsqueeze: axesToInput(13),
  ReduceSum: axesToInput(13),
  ...Object.fromEntries(REDUCTIONS.map((operator) => [operator, axesToInput(18)])),
  Split: respellSplit,
  Softmax: respellSoftmax,
  LogSoftmax: respellSoftmax,
  Hardmax: respellSoftmax,
  Slice: respellSlice,
  Pad: respellPad,
  Clip: respellClip,
  Dropout: (node) => without(node, 'ratio', 'is_test'),
  BatchNormalization: (node) => without(node, 'spatial'),
  Upsample: respellUpsample,
  Resize: respellResize,
  TopK: (node) => moved(node, [[1, 'k', ints(node, 'k')]], ['k']),
};

function firstProblem(graph: Graph, step: Step): string | undefined {
  for (const node of graph.nodes) {
    const problem = problemOf(node, step);
    if (problem !== undefined) return problem;
    for (const inner of subgraphsOf(node)) {
      const below = firstProblem(inner, step);
      if (below !== undefined) return below;
    }
  }
  return undefined;
}

function problemOf(node: Node, step: Step): string | undefined {
  if (node.domain !== '') return undefined;
  const name = node.name || node.outputs[0];
  const isFlattening = step.present < 13 && ['Softmax', 'LogSoftmax', 'Hardmax'].includes(node.opType);
  if (isFlattening && !isOverLastAxis(node, step)) return `${node.opType} ${name} is over several axes`;
  if (
    node.opType === 'Resize' &&
    stringAttribute(node, 'coordinate_transformation_mode', '') === 'tf_half_pixel_for_nn'
  )
    return `Resize ${name} uses tf_half_pixel_for_nn`;
  const isTraining =
    node.opType === 'BatchNormalization' && node.outputs.filter((output) => output !== '').length > 1;
  return isTraining ? `BatchNormalization ${name} has outputs of training` : undefined;
}

function notRaised(problem: string): Diagnostic {
  return {
    severity: 'warning',
    code: 'opset-not-raised',
    message: `the model keeps its operator version: ${problem}`,
    hint: 'export the model again with opset 17 or newer',
  };
}

function axesToInput(since: number): Spelling {
  return (node, { opset }) => {
    if (opset < since) return undefined;
    return moved(node, [[1, 'axes', ints(node, 'axes')]], ['axes']);
  };
}

function respellSplit(node: Node, { opset }: Step): Respelled | undefined {
  const hasSizes = (node.inputs[1] ?? '') !== '';
  if (node.attributes.has('split')) return moved(node, [[1, 'split', ints(node, 'split')]], ['split']);
  if (opset < 18 || hasSizes || node.attributes.has('num_outputs')) return undefined;
  const count: Attribute = { kind: 'int', value: BigInt(node.outputs.length) };
  return {
    node: { ...node, attributes: new Map([...node.attributes, ['num_outputs', count]]) },
    constants: new Map(),
  };
}

/** Until opset 12 the default axis was 1, and all axes from there on were one. */
function respellSoftmax(node: Node, { present }: Step): Respelled | undefined {
  if (present >= 13 || intAttribute(node, 'axis', 1) === -1) return undefined;
  return {
    node: { ...node, attributes: new Map([...node.attributes, ...attributes({ axis: -1n })]) },
    constants: new Map(),
  };
}

function isOverLastAxis(node: Node, { typeOf }: Step): boolean {
  const axis = intAttribute(node, 'axis', 1);
  return axis === -1 || axis + 1 === typeOf(node.inputs[0] ?? '')?.shape?.length;
}

function respellSlice(node: Node): Respelled | undefined {
  const constants = [
    [1, 'starts', ints(node, 'starts')],
    [2, 'ends', ints(node, 'ends')],
    [3, 'axes', ints(node, 'axes')],
  ] as const;
  return moved(node, constants, ['starts', 'ends', 'axes']);
}

function respellPad(node: Node): Respelled | undefined {
  const value = float32Tensor([], [floatAttribute(node, 'value', 0)]);
  return moved(
    node,
    [
      [1, 'pads', ints(node, 'pads')],
      [2, 'value', value],
    ],
    ['pads', 'value'],
  );
}

function respellClip(node: Node): Respelled | undefined {
  const limit = (name: string): Tensor | undefined =>
    node.attributes.has(name) ? float32Tensor([], [floatAttribute(node, name, 0)]) : undefined;
  return moved(
    node,
    [
      [1, 'min', limit('min')],
      [2, 'max', limit('max')],
    ],
    ['min', 'max'],
  );
}

function respellUpsample(node: Node): Respelled | undefined {
  const [x = '', scales = ''] = node.inputs;
  const factors = node.attributes.get('scales');
  const mode = stringAttribute(node, 'mode', 'nearest');
  return {
    node: {
      ...node,
      opType: 'Resize',
      inputs: [x, '', scales],
      attributes: asymmetric(mode),
    },
    constants:
      factors?.kind === 'floats'
        ? new Map([[2, ['scales', float32Tensor([factors.value.length], factors.value)]]])
        : new Map(),
  };
}

/** Resize of opset 10 has the scales where the region of interest is now. */
function respellResize(node: Node, { present }: Step): Respelled | undefined {
  if (present > 10 || node.attributes.has('coordinate_transformation_mode')) return undefined;
  const [x = '', scales = ''] = node.inputs;
  const mode = stringAttribute(node, 'mode', 'nearest');
  return { node: { ...node, inputs: [x, '', scales], attributes: asymmetric(mode) }, constants: new Map() };
}

function asymmetric(mode: string): Map<string, Attribute> {
  return attributes({
    mode,
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  });
}

function without(node: Node, ...names: readonly string[]): Respelled | undefined {
  return moved(node, [], names);
}

/** Takes attributes away and puts constants at input positions; undefined when it has none of the attributes. */
function moved(
  node: Node,
  constants: readonly (readonly [number, string, Tensor | undefined])[],
  names: readonly string[],
): Respelled | undefined {
  if (!names.some((name) => node.attributes.has(name))) return undefined;
  const kept = new Map([...node.attributes].filter(([name]) => !names.includes(name)));
  const present = constants.flatMap(([position, suffix, tensor]) =>
    tensor === undefined ? [] : [[position, [suffix, tensor]] as const],
  );
  return { node: { ...node, attributes: kept }, constants: new Map(present) };
}

/** An attribute of integers as it is: the ends of a Slice reach 2^63 − 1. */
function ints(node: Node, name: string): Tensor | undefined {
  const attribute = node.attributes.get(name);
  if (attribute?.kind === 'ints') return int64Tensor([attribute.value.length], attribute.value);
  return attribute?.kind === 'int' ? int64Tensor([1], [attribute.value]) : undefined;
}
