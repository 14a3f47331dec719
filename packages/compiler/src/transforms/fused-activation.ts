import type { Node } from '../ir/index.ts';
import type { GraphView, Rule } from '../rewrite/index.ts';
import { isEdgewise, isStandard } from './edgewise-node.ts';
import { stringAttribute } from './node-attributes.ts';

/** Operators of the edgewise domain that take an activation in. */
type Activated = 'Conv' | 'Linear';

/** The operator behind a value that nothing else reads and that has no activation yet. */
export function plainProducer(opType: Activated, value: string, graph: GraphView): Node | undefined {
  const node = graph.producer(value);
  if (!isEdgewise(node, opType) || graph.useCount(value) !== 1) return undefined;
  return hasNoActivation(node) ? node : undefined;
}

/**
 * The rule that makes x·Sigmoid(x) the activation of the operator that x comes from.
 * @param activate the operator with that activation and the outputs of `last`
 */
export function siluRule(
  opType: Activated,
  activate: (node: Node, last: Node, activation: 'silu') => Node,
): Rule {
  return {
    name: 'silu',
    operators: ['Mul'],
    match: (last, graph) => {
      for (const [x = '', gate = ''] of [last.inputs, last.inputs.toReversed()]) {
        const sigmoid = graph.producer(gate);
        const node = graph.producer(x);
        if (!isStandard(sigmoid, 'Sigmoid') || sigmoid.inputs[0] !== x || graph.useCount(gate) !== 1)
          continue;
        if (!isEdgewise(node, opType) || graph.useCount(x) !== 2 || !hasNoActivation(node)) continue;
        return { reason: 'activation silu', remove: [last], add: [activate(node, last, 'silu')] };
      }
      return undefined;
    },
  };
}

function hasNoActivation(node: Node): boolean {
  return stringAttribute(node, 'activation', 'none') === 'none';
}
