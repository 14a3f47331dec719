import type { Attribute, Node } from '../ir/index.ts';
import type { Edit, GraphView, Transform } from '../rewrite/index.ts';
import { numberConstant, numbersConstant } from './constants.ts';
import { isEdgewise, isStandard } from './edgewise-node.ts';
import { floatAttribute, intAttribute, intsAttribute, stringAttribute } from './node-attributes.ts';
import { FLOAT32_REORDERING, ruleTransform, type RuleContext } from './rule-transform.ts';

/**
 * Takes a Pad of zeros at the spatial axes into the window operator that is its only consumer: Conv, an AveragePool that counts
 * padding or has none, and a MaxPool whose input is known not to be negative. Pads may differ by side. A Pad that stays says
 * nothing of zeros, which are what it fills with anyway: so it is known to keep the grid of quantized values.
 */
export function fusePad(): Transform {
  return ruleTransform({
    name: 'fusePad',
    description: 'Pad with zeros → pads of the convolution or pooling after it',
    tolerance: FLOAT32_REORDERING,
    rules: (context) => [
      {
        name: 'pad',
        operators: ['Conv', 'edgewise.Conv', 'AveragePool', 'MaxPool'],
        match: (node, graph) => matchPad(node, graph, context),
      },
      { name: 'zero fill', operators: ['Pad'], match: matchZeroFill },
    ],
  });
}

function matchZeroFill(pad: Node, graph: GraphView): Edit | undefined {
  const [, , fill = '', axes = ''] = pad.inputs;
  if (fill === '' || numberConstant(graph, fill) !== 0) return undefined;
  const inputs = pad.inputs.slice(0, 2);
  return {
    reason: 'fills with zeros',
    remove: [pad],
    add: [{ ...pad, inputs: axes === '' ? inputs : [...inputs, '', axes] }],
  };
}

function matchPad(node: Node, graph: GraphView, { typeOf }: RuleContext): Edit | undefined {
  const [value = ''] = node.inputs;
  const pad = graph.producer(value);
  if (!isStandard(pad, 'Pad') || graph.useCount(value) !== 1 || node.attributes.has('auto_pad'))
    return undefined;
  const [x = ''] = pad.inputs;
  const rank = typeOf(x)?.shape?.length;
  const added = rank === undefined ? undefined : spatialPads(pad, graph, rank);
  if (added === undefined || !isExact(node, x, graph, added)) return undefined;
  const present = intsAttribute(node, 'pads') ?? added.map(() => 0);
  const pads: Attribute = { kind: 'ints', value: added.map((pad, i) => BigInt(pad + (present[i] ?? 0))) };
  const attributes = new Map([...node.attributes, ['pads', pads]] as const);
  if (node.opType === 'AveragePool') attributes.set('count_include_pad', { kind: 'int', value: 1n });
  return {
    reason: `pads ${added.join(', ')}`,
    remove: [pad, node],
    add: [{ ...node, inputs: [x, ...node.inputs.slice(1)], attributes }],
  };
}

/** All begins, then all ends; undefined when the Pad does more than add zeros at the spatial axes. */
function spatialPads(pad: Node, graph: GraphView, rank: number): number[] | undefined {
  const [, counts = '', fill = '', axes = ''] = pad.inputs;
  if (stringAttribute(pad, 'mode', 'constant') !== 'constant' || axes !== '') return undefined;
  if (fill !== '' && numberConstant(graph, fill) !== 0) return undefined;
  const numbers = numbersConstant(graph, counts, 2 * rank);
  if (numbers?.length !== 2 * rank || numbers.some((count) => count < 0)) return undefined;
  const [begins, ends] = [numbers.slice(0, rank), numbers.slice(rank)];
  const isSpatial = [begins, ends].every((side) => side.slice(0, 2).every((count) => count === 0));
  return isSpatial ? [...begins.slice(2), ...ends.slice(2)] : undefined;
}

function isExact(node: Node, x: string, graph: GraphView, added: readonly number[]): boolean {
  if (node.opType === 'Conv') return true;
  const kernel = intsAttribute(node, 'kernel_shape') ?? [];
  // A window that sees nothing but padding has a maximum of −∞; onnxruntime refuses such pads.
  if (!added.every((count, i) => count < (kernel[i % kernel.length] ?? 0))) return false;
  if (intAttribute(node, 'ceil_mode', 0) !== 0) return false;
  const hasPads = intsAttribute(node, 'pads')?.some((count) => count !== 0) === true;
  if (node.opType === 'AveragePool') return !hasPads || intAttribute(node, 'count_include_pad', 0) === 1;
  // MaxPool's own padding never wins; a zero does, unless nothing is below it.
  return !hasPads && isNotNegative(graph.producer(x));
}

function isNotNegative(node: Node | undefined): boolean {
  if (isStandard(node, 'Relu', 'Sigmoid', 'HardSigmoid', 'Softmax')) return true;
  if (!isEdgewise(node, 'Conv')) return false;
  const activation = stringAttribute(node, 'activation', 'none');
  if (activation === 'clip') return floatAttribute(node, 'min', -Infinity) >= 0;
  return ['relu', 'sigmoid', 'hard_sigmoid'].includes(activation);
}
