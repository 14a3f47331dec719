import { float32Tensor, int64Tensor, typedData, type Node, type Tensor } from '../ir/index.ts';
import { opsetVersion } from '../ops/index.ts';
import type { Edit, GraphView, Transform } from '../rewrite/index.ts';
import { float32Constant } from './constants.ts';
import { floatAttribute } from './node-attributes.ts';
import { FLOAT32_REORDERING, ruleTransform, type RuleContext } from './rule-transform.ts';

/**
 * Writes InstanceNormalization (PyTorch exports GroupNorm as one of a Reshape) as two means and arithmetic per channel, of
 * which every operator has a kernel. Expects opset 18.
 */
export function splitInstanceNormalization(): Transform {
  return ruleTransform({
    name: 'splitInstanceNormalization',
    description: 'InstanceNormalization → means and arithmetic per channel',
    tolerance: FLOAT32_REORDERING,
    rules: (context) => [
      {
        name: 'constant scale and bias',
        operators: ['InstanceNormalization'],
        match: (node, graph) => matchNormalization(node, graph, context),
      },
    ],
  });
}

/** The opset from which on reductions have their axes as an input. */
const FIRST_OPSET = 18;

function matchNormalization(node: Node, graph: GraphView, { model, typeOf }: RuleContext): Edit | undefined {
  const [x = '', scaleName, biasName] = node.inputs;
  const [output = ''] = node.outputs;
  const [scale, bias] = [scaleName, biasName].map((name) => float32Constant(graph, name));
  const rank = typeOf(x)?.shape?.length;
  if (!scale || !bias || rank === undefined || rank < 3 || opsetVersion(model.opsets, '') < FIRST_OPSET)
    return undefined;
  const initializers = new Map<string, Tensor>();
  const constant = (suffix: string, tensor: Tensor): string => {
    const name = graph.freshName(`${output}.${suffix}`);
    initializers.set(name, tensor);
    return name;
  };
  const perChannel = (tensor: typeof scale): Tensor =>
    float32Tensor([tensor.dims[0]!, ...Array.from({ length: rank - 2 }, () => 1)], typedData(tensor));
  const axes = constant(
    'axes',
    int64Tensor(
      [rank - 2],
      Array.from({ length: rank - 2 }, (_, i) => i + 2),
    ),
  );
  const epsilon = constant('epsilon', float32Tensor([], [floatAttribute(node, 'epsilon', 1e-5)]));
  const add: Node[] = [];
  const step = (opType: string, inputs: readonly string[], suffix: string): string => {
    const made = suffix === '' ? output : graph.freshName(`${output}.${suffix}`);
    add.push({ name: '', domain: '', opType, inputs, outputs: [made], attributes: new Map() });
    return made;
  };
  const centred = step('Sub', [x, step('ReduceMean', [x, axes], 'mean')], 'centred');
  const squares = step('Mul', [centred, centred], 'squares');
  const variance = step('ReduceMean', [squares, axes], 'variance');
  const deviation = step('Sqrt', [step('Add', [variance, epsilon], 'shifted')], 'deviation');
  const factor = step('Div', [constant('scale', perChannel(scale)), deviation], 'factor');
  const scaled = step('Mul', [centred, factor], 'scaled');
  step('Add', [scaled, constant('bias', perChannel(bias))], '');
  return { reason: `${scale.dims[0]} channels`, remove: [node], add, initializers };
}
