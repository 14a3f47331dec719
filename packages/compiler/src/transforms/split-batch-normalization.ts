import { float32Tensor, typedData, type Node } from '../ir/index.ts';
import type { Edit, GraphView, Transform } from '../rewrite/index.ts';
import { float32Constant } from './constants.ts';
import { floatAttribute } from './node-attributes.ts';
import { FLOAT32_REORDERING, ruleTransform, type RuleContext } from './rule-transform.ts';

/**
 * Writes BatchNormalization with constant statistics as one Mul and one Add per channel, which `fuseConv` takes into a
 * neighbouring convolution; where there is none they stay, as the cheapest form.
 */
export function splitBatchNormalization(): Transform {
  return ruleTransform({
    name: 'splitBatchNormalization',
    description: 'BatchNormalization → Mul and Add per channel',
    tolerance: FLOAT32_REORDERING,
    rules: (context) => [
      {
        name: 'constant statistics',
        operators: ['BatchNormalization'],
        match: (node, graph) => matchNormalization(node, graph, context),
      },
    ],
  });
}

function matchNormalization(node: Node, graph: GraphView, { typeOf }: RuleContext): Edit | undefined {
  const [x = '', ...parameters] = node.inputs;
  const [output = '', ...others] = node.outputs;
  const [scale, shift, mean, variance] = parameters.map((name) => float32Constant(graph, name));
  const rank = typeOf(x)?.shape?.length ?? typeOf(output)?.shape?.length;
  if (others.some((name) => graph.useCount(name) > 0) || rank === undefined || rank < 2) return undefined;
  if (!scale || !shift || !mean || !variance) return undefined;
  const epsilon = floatAttribute(node, 'epsilon', 1e-5);
  const [gamma, beta, means, variances] = [scale, shift, mean, variance].map((tensor) => typedData(tensor));
  const factors = Float64Array.from(gamma ?? [], (g, c) => g / Math.sqrt((variances?.[c] ?? 0) + epsilon));
  const offsets = Float64Array.from(beta ?? [], (b, c) => b - (means?.[c] ?? 0) * (factors[c] ?? 0));
  const dims = [factors.length, ...Array.from({ length: rank - 2 }, () => 1)];
  const names = ['factor', 'offset', 'scaled'].map((suffix) => graph.freshName(`${output}.${suffix}`));
  const [factor = '', offset = '', scaled = ''] = names;
  const plain = { domain: '', attributes: new Map() };
  return {
    reason: `${factors.length} channels`,
    remove: [node],
    add: [
      { ...plain, name: '', opType: 'Mul', inputs: [x, factor], outputs: [scaled] },
      { ...plain, name: node.name, opType: 'Add', inputs: [scaled, offset], outputs: [output] },
    ],
    initializers: new Map([
      [factor, float32Tensor(dims, factors)],
      [offset, float32Tensor(dims, offsets)],
    ]),
  };
}
