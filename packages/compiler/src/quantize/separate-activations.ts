import type { Node } from '../ir/index.ts';
import { LOSSLESS, type Edit, type GraphView, type Transform } from '../rewrite/index.ts';
import { attributes, floatAttribute, stringAttribute } from '../transforms/node-attributes.ts';
import { ruleTransform } from '../transforms/rule-transform.ts';

/**
 * Takes activations that a quantized convolution cannot have out of `edgewise.Conv` again: all but relu and clip, which are
 * the range of its output. Calibrate what it leaves, so that the value before the activation has a range too.
 */
export function separateActivations(): Transform {
  const rules = ruleTransform({
    name: 'separateActivations',
    description: 'activations of Conv other than relu and clip → operators',
    tolerance: LOSSLESS,
    rules: () => [{ name: 'activation', operators: ['edgewise.Conv'], match: matchConv }],
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
  conv: Node,
) => readonly [opType: string, values: Readonly<Record<string, number>>, domain?: string];

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
};

function matchConv(conv: Node, graph: GraphView): Edit | undefined {
  const name = stringAttribute(conv, 'activation', 'none');
  const built = BUILDERS[name]?.(conv);
  if (built === undefined) return undefined;
  const [opType, values, domain = ''] = built;
  const [output = ''] = conv.outputs;
  const sum = graph.freshName(`${output}.sum`);
  const window = [...conv.attributes].filter(([key]) => key !== 'alpha' && key !== 'beta');
  return {
    reason: `activation ${name}`,
    remove: [conv],
    add: [
      { ...conv, outputs: [sum], attributes: new Map([...window, ...attributes({ activation: 'none' })]) },
      { name: '', opType, domain, inputs: [sum], outputs: [output], attributes: attributes(values) },
    ],
  };
}
