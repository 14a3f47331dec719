import type { Edit, GraphView, Transform } from '../rewrite/index.ts';
import type { Node } from '../ir/index.ts';
import { edgewiseNode, isStandard } from './edgewise-node.ts';
import { floatAttribute } from './node-attributes.ts';
import { FLOAT32_REORDERING, ruleTransform, type RuleContext } from './rule-transform.ts';

/** Joins a residual addition with the `edgewise.LayerNorm` that is its only consumer: `edgewise.AddLayerNorm`. */
export function fuseAddLayerNorm(): Transform {
  return ruleTransform({
    name: 'fuseAddLayerNorm',
    description: 'residual addition + LayerNorm → AddLayerNorm',
    tolerance: FLOAT32_REORDERING,
    rules: (context) => [
      {
        name: 'add + normalize',
        operators: ['edgewise.LayerNorm'],
        match: (node, graph) => matchSum(node, graph, context),
      },
    ],
  });
}

function matchSum(node: Node, graph: GraphView, { typeOf }: RuleContext): Edit | undefined {
  const [sum = '', gamma = '', beta = ''] = node.inputs;
  const add = graph.producer(sum);
  if (!isStandard(add, 'Add') || graph.useCount(sum) !== 1) return undefined;
  const [x = '', skip = ''] = add.inputs;
  if (graph.constant(x) !== undefined || graph.constant(skip) !== undefined) return undefined;
  const [a, b] = [typeOf(x)?.shape, typeOf(skip)?.shape];
  const isSameShape = a !== undefined && b !== undefined && a.length === b.length && a.join() === b.join();
  if (!isSameShape || a.includes(null)) return undefined; // broadcasting is not a residual
  return {
    reason: `LayerNorm of ${x} + ${skip}`,
    remove: [node],
    add: [
      edgewiseNode('AddLayerNorm', node, [x, skip, gamma, beta], node.outputs, {
        epsilon: floatAttribute(node, 'epsilon', 1e-5),
      }),
    ],
  };
}
