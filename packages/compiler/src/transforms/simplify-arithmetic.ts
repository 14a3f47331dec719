import { float32Tensor, int64Tensor, type Node } from '../ir/index.ts';
import type { Edit, GraphView, Transform } from '../rewrite/index.ts';
import { numberConstant, numbersConstant } from './constants.ts';
import { intAttribute, intsAttribute } from './node-attributes.ts';
import { FLOAT32_REORDERING, ruleTransform, type RuleContext } from './rule-transform.ts';

/**
 * Writes powers as cheaper operators: x² as x·x, √x as Sqrt, 1/x as Reciprocal; the larger or smaller of a value and a number as Clip; means, sums, largest and smallest elements over axes of
 * one element as Reshape.
 */
export function simplifyArithmetic(): Transform {
  return ruleTransform({
    name: 'simplifyArithmetic',
    description: 'powers and reductions that are simpler operators',
    tolerance: FLOAT32_REORDERING,
    rules: (context) => [
      { name: 'power', operators: ['Pow'], match: (node, graph) => matchPower(node, graph, context) },
      { name: 'limit', operators: ['Max', 'Min'], match: (node, graph) => matchLimit(node, graph, context) },
      {
        name: 'one element',
        operators: ['ReduceMean', 'ReduceSum', 'ReduceMax', 'ReduceMin'],
        match: (node, graph) => matchReduction(node, graph, context),
      },
    ],
  });
}

function matchPower(node: Node, graph: GraphView, { typeOf }: RuleContext): Edit | undefined {
  const [x = '', exponent = ''] = node.inputs;
  const isScalar = graph.constant(exponent)?.dims.length === 0;
  const power = numberConstant(graph, exponent);
  if (power === undefined || !isScalar || typeOf(x)?.dtype !== 'float32') return undefined;
  const simpler = (opType: string, inputs: readonly string[]): Edit => ({
    reason: `a power of ${power}`,
    remove: [node],
    add: [{ ...node, opType, inputs, attributes: new Map() }],
  });
  if (power === 2) return simpler('Mul', [x, x]);
  if (power === 0.5) return simpler('Sqrt', [x]);
  return power === -1 ? simpler('Reciprocal', [x]) : undefined;
}

function matchLimit(node: Node, graph: GraphView, { typeOf }: RuleContext): Edit | undefined {
  const [x, ...others] = node.inputs.filter((input) => graph.constant(input) === undefined);
  const bound = node.inputs.find((input) => graph.constant(input) !== undefined) ?? '';
  const number = numberConstant(graph, bound);
  if (x === undefined || others.length > 0 || node.inputs.length !== 2 || number === undefined)
    return undefined;
  const rank = typeOf(x)?.shape?.length;
  if (typeOf(x)?.dtype !== 'float32' || rank === undefined) return undefined;
  if ((graph.constant(bound)?.dims.length ?? 0) > rank) return undefined;
  const limit = graph.freshName(`${node.outputs[0]}.limit`);
  return {
    reason: `a limit of ${number}`,
    remove: [node],
    add: [
      {
        ...node,
        opType: 'Clip',
        inputs: node.opType === 'Max' ? [x, limit] : [x, '', limit],
        attributes: new Map(),
      },
    ],
    initializers: new Map([[limit, float32Tensor([], [number])]]),
  };
}

function matchReduction(node: Node, graph: GraphView, { typeOf }: RuleContext): Edit | undefined {
  const [x = '', axesName = ''] = node.inputs;
  const from = typeOf(x)?.shape;
  const to = typeOf(node.outputs[0] ?? '')?.shape;
  const axes = intsAttribute(node, 'axes') ?? numbersConstant(graph, axesName, 8);
  if (from === undefined || !to?.every((dim) => typeof dim === 'number')) return undefined;
  const isNone = axes === undefined && intAttribute(node, 'noop_with_empty_axes', 0) === 1;
  const reduced = (axes ?? from.map((_, axis) => axis)).map((axis) => from.at(axis));
  if (isNone || !reduced.every((dim) => dim === 1)) return undefined;
  const shape = graph.freshName(`${node.outputs[0]}.shape`);
  return {
    reason: `over [${reduced.join(', ')}]`,
    remove: [node],
    add: [{ ...node, opType: 'Reshape', inputs: [x, shape], attributes: new Map() }],
    initializers: new Map([[shape, int64Tensor([to.length], to as readonly number[])]]),
  };
}
