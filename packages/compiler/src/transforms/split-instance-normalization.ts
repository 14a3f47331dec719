import { float32Tensor, int64Tensor, typedData, type Node, type Tensor } from '../ir/index.ts';
import { opsetVersion } from '../ops/index.ts';
import type { Edit, GraphView, Transform } from '../rewrite/index.ts';
import { float32Constant } from './constants.ts';
import { floatAttribute } from './node-attributes.ts';
import { Replacement } from './replacement.ts';
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
  const replacement = new Replacement(graph, output);
  const perChannel = (tensor: typeof scale): Tensor =>
    float32Tensor([tensor.dims[0]!, ...Array.from({ length: rank - 2 }, () => 1)], typedData(tensor));
  const spatial = Array.from({ length: rank - 2 }, (_, axis) => axis + 2);
  const axes = replacement.constant('axes', int64Tensor([spatial.length], spatial));
  const epsilon = float32Tensor([], [floatAttribute(node, 'epsilon', 1e-5)]);

  const mean = replacement.step('ReduceMean', [x, axes]);
  const centred = replacement.step('Sub', [x, mean]);
  const squares = replacement.step('Mul', [centred, centred]);
  const variance = replacement.step('ReduceMean', [squares, axes]);
  const shifted = replacement.step('Add', [variance, replacement.constant('epsilon', epsilon)]);
  const deviation = replacement.step('Sqrt', [shifted]);
  const factor = replacement.step('Div', [replacement.constant('scale', perChannel(scale)), deviation]);
  const scaled = replacement.step('Mul', [centred, factor]);
  replacement.step('Add', [scaled, replacement.constant('bias', perChannel(bias))]);
  return { reason: `${scale.dims[0]} channels`, remove: [node], ...replacement.finish() };
}
