import type { Node } from '../../ir/index.ts';
import {
  LOSSLESS,
  operatorName,
  type Edit,
  type GraphView,
  type Rule,
  type Transform,
} from '../../rewrite/index.ts';
import { isEdgewise, isStandard } from '../../transforms/edgewise-node.ts';
import { attributes, floatAttribute, stringAttribute } from '../../transforms/node-attributes.ts';
import { ruleTransform } from '../../transforms/rule-transform.ts';

/**
 * Takes activations that a quantized layer cannot have out of `edgewise.Conv` and `edgewise.Linear` again: all but relu and clip,
 * which are the range of its output. Calibrate what it leaves, so that the value before the activation has a range too.
 */
export function separateActivations(): Transform {
  const rules = ruleTransform({
    name: 'separateActivations',
    description: 'activations of Conv and Linear other than relu and clip → operators',
    tolerance: LOSSLESS,
    rules: () => [{ name: 'activation', operators: ['edgewise.Conv', 'edgewise.Linear'], match: matchLayer }],
  });
  return {
    ...rules,
    apply: (model) => {
      const result = rules.apply(model);
      if (model.graph.nodes.some(({ domain }) => domain === MICROSOFT)) model.opsets.set(MICROSOFT, 1);
      return result;
    },
  };
}

const MICROSOFT = 'com.microsoft';

type Builder = (
  layer: Node,
) => readonly [opType: string, values: Readonly<Record<string, number | string>>, domain?: string];

const BUILDERS: Readonly<Record<string, Builder>> = {
  leaky_relu: (conv) => ['LeakyRelu', { alpha: floatAttribute(conv, 'alpha', 0.01) }],
  hard_swish: () => ['HardSwish', {}],
  hard_sigmoid: (conv) => [
    'HardSigmoid',
    { alpha: floatAttribute(conv, 'alpha', 0.2), beta: floatAttribute(conv, 'beta', 0.5) },
  ],
  // x·sigmoid(1·x): one operator, so that it is one table in the quantized graph.
  silu: () => ['QuickGelu', { alpha: 1 }, MICROSOFT],
  mish: () => ['Mish', {}],
  sigmoid: () => ['Sigmoid', {}],
  tanh: () => ['Tanh', {}],
  gelu: () => ['Gelu', { approximate: 'none' }, 'edgewise'],
  gelu_tanh: () => ['Gelu', { approximate: 'tanh' }, 'edgewise'],
};

function matchLayer(layer: Node, graph: GraphView): Edit | undefined {
  const name = stringAttribute(layer, 'activation', 'none');
  const built = BUILDERS[name]?.(layer);
  if (built === undefined) return undefined;
  const [opType, values, domain = ''] = built;
  const [output = ''] = layer.outputs;
  const sum = graph.freshName(`${output}.sum`);
  const window = [...layer.attributes].filter(([key]) => key !== 'alpha' && key !== 'beta');
  return {
    reason: `activation ${name}`,
    remove: [layer],
    add: [
      { ...layer, outputs: [sum], attributes: new Map([...window, ...attributes({ activation: 'none' })]) },
      { name: '', opType, domain, inputs: [sum], outputs: [output], attributes: attributes(values) },
    ],
  };
}

/** The activation of a layer that each operator is, with its parameters. */
const ACTIVATIONS: Readonly<Record<string, (node: Node) => Readonly<Record<string, string | number>>>> = {
  'edgewise.Gelu': (node) => ({
    activation: stringAttribute(node, 'approximate', 'none') === 'tanh' ? 'gelu_tanh' : 'gelu',
  }),
  LeakyRelu: (node) => ({ activation: 'leaky_relu', alpha: floatAttribute(node, 'alpha', 0.01) }),
  HardSwish: () => ({ activation: 'hard_swish' }),
  HardSigmoid: (node) => ({
    activation: 'hard_sigmoid',
    alpha: floatAttribute(node, 'alpha', 0.2),
    beta: floatAttribute(node, 'beta', 0.5),
  }),
  'com.microsoft.QuickGelu': () => ({ activation: 'silu' }),
  Mish: () => ({ activation: 'mish' }),
  Sigmoid: () => ({ activation: 'sigmoid' }),
  Tanh: () => ({ activation: 'tanh' }),
};

/** What only one of the two layers has. */
const OF_LINEAR: ReadonlySet<string> = new Set(['Gelu']);
const OF_CONV: ReadonlySet<string> = new Set(['LeakyRelu', 'HardSwish', 'HardSigmoid', 'Mish']);

/** The way back, for layers that stay float. */
export const JOIN_ACTIVATION: Rule = {
  name: 'join activation',
  operators: Object.keys(ACTIVATIONS),
  match: (node, graph) => {
    const [sum = ''] = node.inputs;
    const layer = graph.producer(sum);
    const isConv = isEdgewise(layer, 'Conv') && !OF_LINEAR.has(node.opType);
    const isLinear = isEdgewise(layer, 'Linear') && !OF_CONV.has(node.opType);
    if (!(isConv || isLinear) || graph.useCount(sum) !== 1) return undefined;
    if (stringAttribute(layer, 'activation', 'none') !== 'none') return undefined;
    if (node.opType === 'QuickGelu' && floatAttribute(node, 'alpha', 1.702) !== 1) return undefined;
    const values = ACTIVATIONS[operatorName(node)]?.(node);
    if (values === undefined) return undefined;
    return {
      reason: `float ${layer.opType} and ${node.opType}`,
      remove: [layer, node],
      add: [
        {
          ...layer,
          outputs: node.outputs,
          attributes: new Map([...layer.attributes, ...attributes(values)]),
        },
      ],
    };
  },
};

/** A SiLU that is no table, between what is 8 bits and what is float, in standard operators. */
export const SPELL_SILU: Rule = {
  name: 'spell SiLU',
  operators: ['com.microsoft.QuickGelu'],
  match: (node, graph) => {
    const [x = ''] = node.inputs;
    const [y = ''] = node.outputs;
    if (graph.consumers(y).some((next) => isStandard(next, 'QuantizeLinear'))) return undefined;
    if (floatAttribute(node, 'alpha', 1.702) !== 1) return undefined;
    const gate = graph.freshName(`${y}.gate`);
    const plain = { name: '', domain: '', attributes: new Map() };
    return {
      reason: 'x·sigmoid(x)',
      remove: [node],
      add: [
        { ...plain, opType: 'Sigmoid', inputs: [x], outputs: [gate] },
        { ...plain, opType: 'Mul', inputs: [x, gate], outputs: [y] },
      ],
    };
  },
};
