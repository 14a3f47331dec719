import {
  elementCount,
  float32Tensor,
  typedData,
  type Attribute,
  type Float32Tensor,
  type Node,
  type Tensor,
} from '../ir/index.ts';
import type { Edit, GraphView, Transform } from '../rewrite/index.ts';
import { affineOf, channelNumbers } from './channel-affine.ts';
import { float32Constant, numberConstant } from './constants.ts';
import { isStandard } from './edgewise-node.ts';
import { attributes, floatAttribute, intAttribute, intsAttribute } from './node-attributes.ts';
import { plainProducer, siluRule } from './fused-activation.ts';
import { FLOAT32_REORDERING, ruleTransform } from './rule-transform.ts';

/**
 * Turns convolutions with constant float32 weights into `edgewise.Conv` and takes in what lies around them: additions and
 * multiplications per channel after and (where padding allows) before, then one activation. Expects operators as
 * `raiseOpset`, `resolveAutoPad`, `splitBatchNormalization` and `fuseActivations` leave them.
 */
export function fuseConv(): Transform {
  return ruleTransform({
    name: 'fuseConv',
    description: 'convolution + scale and bias per channel + activation → Conv',
    tolerance: FLOAT32_REORDERING,
    rules: () => [
      { name: 'Conv', operators: ['Conv'], match: matchConv },
      { name: 'after', operators: ['Add', 'Sub', 'Mul', 'Div'], match: matchAfter },
      { name: 'before', operators: ['edgewise.Conv'], match: matchBefore },
      { name: 'activation', operators: [...ACTIVATIONS.keys()], match: matchActivation },
      siluRule('Conv', (conv, last, activation) => activated(conv, last, { activation })),
    ],
  });
}

function matchConv(node: Node, graph: GraphView): Edit | undefined {
  const [x = '', weight = '', bias = ''] = node.inputs;
  const tensor = float32Constant(graph, weight);
  if (tensor === undefined || node.attributes.has('auto_pad') || graph.constant(x) !== undefined)
    return undefined;
  if (bias !== '' && float32Constant(graph, bias) === undefined) return undefined;
  const window = [...node.attributes].filter(([name]) => name !== 'kernel_shape');
  const kernel: Attribute = { kind: 'ints', value: tensor.dims.slice(2).map(BigInt) };
  return {
    reason: `Conv with constant weight ${weight}`,
    remove: [node],
    add: [
      {
        ...node,
        domain: 'edgewise',
        inputs: bias === '' ? [x, weight] : [x, weight, bias],
        attributes: new Map([...window, ['kernel_shape', kernel], ...attributes({ activation: 'none' })]),
      },
    ],
  };
}

function matchAfter(node: Node, graph: GraphView): Edit | undefined {
  for (const [value = '', other = ''] of [node.inputs, node.inputs.toReversed()]) {
    const conv = plainProducer('Conv', value, graph);
    const weight = float32Constant(graph, conv?.inputs[1]);
    if (conv === undefined || weight === undefined) continue;
    const isFirst = value === node.inputs[0];
    const affine = affineOf(
      node.opType,
      isFirst,
      channelNumbers(graph, other, weight.dims[0] ?? 0, weight.dims.length),
    );
    const bias = float32Constant(graph, conv.inputs[2]);
    if (affine === undefined) continue;
    return rebuilt(conv, graph, `${node.opType} after`, [conv, node], {
      ...(node.opType === 'Mul' || node.opType === 'Div'
        ? { weight: scaledFilters(weight, affine.factor) }
        : {}),
      ...(node.opType === 'Sub' && !isFirst ? { weight: scaledFilters(weight, () => -1) } : {}),
      bias: Float64Array.from(
        { length: weight.dims[0] ?? 0 },
        (_, m) => (bias === undefined ? 0 : (typedData(bias)[m] ?? 0)) * affine.factor(m) + affine.offset(m),
      ),
      output: node.outputs[0] ?? '',
    });
  }
  return undefined;
}

/** Mul or Add per channel in front of a convolution. A shift of the input is not a shift of its padding, which stays 0. */
function matchBefore(conv: Node, graph: GraphView): Edit | undefined {
  const [value = '', weightName] = conv.inputs;
  const node = graph.producer(value);
  const weight = float32Constant(graph, weightName);
  if (!isStandard(node, 'Add', 'Sub', 'Mul', 'Div') || weight === undefined || graph.useCount(value) !== 1)
    return undefined;
  const group = intAttribute(conv, 'group', 1);
  const channels = (weight.dims[1] ?? 0) * group;
  const constantSlot = node.inputs.findIndex((input) => graph.constant(input) !== undefined);
  const x = node.inputs[1 - constantSlot];
  if (constantSlot < 0 || x === undefined) return undefined;
  const numbers = channelNumbers(graph, node.inputs[constantSlot] ?? '', channels, weight.dims.length);
  const affine = affineOf(node.opType, constantSlot === 1, numbers);
  const shifts = node.opType === 'Add' || node.opType === 'Sub';
  if (affine === undefined || (shifts && isPadded(conv))) return undefined;
  const bias = float32Constant(graph, conv.inputs[2]);
  const scaled = scaledChannels(weight, group, affine.factor);
  const shifted = shiftOfFilters(weight, group, affine.offset);
  return rebuilt(conv, graph, `${node.opType} before`, [node, conv], {
    ...(shifts && node.opType === 'Add' ? {} : { weight: scaled }),
    ...(shifts || bias !== undefined
      ? { bias: shifted.map((shift, m) => shift + (bias === undefined ? 0 : (typedData(bias)[m] ?? 0))) }
      : {}),
    x,
    output: conv.outputs[0] ?? '',
  });
}

function isPadded(conv: Node): boolean {
  return intsAttribute(conv, 'pads')?.some((pad) => pad !== 0) === true;
}

interface Rebuild {
  readonly x?: string;
  readonly weight?: Float32Tensor;
  readonly bias?: Float64Array;
  readonly output: string;
}

/** The convolution with other weights, bias, input or output. Sums are made in double precision and rounded once. */
function rebuilt(
  conv: Node,
  graph: GraphView,
  what: string,
  remove: readonly Node[],
  { x, weight, bias, output }: Rebuild,
): Edit {
  const [oldX = '', oldWeight = '', oldBias = ''] = conv.inputs;
  const initializers = new Map<string, Tensor>();
  const named = (name: string, tensor: Tensor): string => {
    initializers.set(name, tensor);
    return name;
  };
  const weightName = weight === undefined ? oldWeight : named(graph.freshName(`${oldWeight}.fused`), weight);
  const biasBase = oldBias === '' ? `${oldWeight}.bias` : `${oldBias}.fused`;
  const biasName =
    bias === undefined ? oldBias : named(graph.freshName(biasBase), float32Tensor([bias.length], bias));
  return {
    reason: `${what} ${conv.name || conv.outputs[0]}`,
    remove,
    add: [
      {
        ...conv,
        inputs: [x ?? oldX, weightName, ...(biasName === '' ? [] : [biasName])],
        outputs: [output],
      },
    ],
    initializers,
  };
}

function scaledFilters(weight: Float32Tensor, factor: (filter: number) => number): Float32Tensor {
  const area = elementCount(weight.dims.slice(1));
  return mapped(weight, (value, i) => value * factor(Math.floor(i / area)));
}

/** Scales by input channel: filter m of group g reads channels g·C/groups and following. */
function scaledChannels(
  weight: Float32Tensor,
  group: number,
  factor: (channel: number) => number,
): Float32Tensor {
  const channelOf = inputChannels(weight, group);
  return mapped(weight, (value, i) => value * factor(channelOf(i)));
}

/** Σ over a filter's cells of weight · offset of the input channel. */
function shiftOfFilters(
  weight: Float32Tensor,
  group: number,
  offset: (channel: number) => number,
): Float64Array {
  const channelOf = inputChannels(weight, group);
  const cells = elementCount(weight.dims.slice(1));
  const sums = new Float64Array(weight.dims[0] ?? 0);
  for (const [i, value] of typedData(weight).entries())
    sums[Math.floor(i / cells)]! += value * offset(channelOf(i));
  return sums;
}

function inputChannels(weight: Float32Tensor, group: number): (flat: number) => number {
  const [filters = 1, perGroup = 1, ...kernel] = weight.dims;
  const [area, perFilter] = [elementCount(kernel), perGroup * elementCount(kernel)];
  const filtersPerGroup = filters / group;
  return (flat) => {
    const filter = Math.floor(flat / perFilter);
    return Math.floor(filter / filtersPerGroup) * perGroup + (Math.floor(flat / area) % perGroup);
  };
}

function mapped(tensor: Float32Tensor, map: (value: number, index: number) => number): Float32Tensor {
  const data = typedData(tensor).map((value, index) => map(value, index));
  return float32Tensor(tensor.dims, data) as Float32Tensor;
}

/** Attributes of `edgewise.Conv` for an activation; undefined when a limit or slope is not a constant. */
type ActivationReader = (
  node: Node,
  graph: GraphView,
) => Readonly<Record<string, number | string>> | undefined;

const ACTIVATIONS: ReadonlyMap<string, ActivationReader> = new Map<string, ActivationReader>([
  ['Relu', () => ({ activation: 'relu' })],
  ['Clip', readClip],
  ['LeakyRelu', (node) => ({ activation: 'leaky_relu', alpha: floatAttribute(node, 'alpha', 0.01) })],
  ['PRelu', readSlope],
  ['HardSwish', () => ({ activation: 'hard_swish' })],
  [
    'HardSigmoid',
    (node) => ({
      activation: 'hard_sigmoid',
      alpha: floatAttribute(node, 'alpha', 0.2),
      beta: floatAttribute(node, 'beta', 0.5),
    }),
  ],
  ['Mish', () => ({ activation: 'mish' })],
  ['Sigmoid', () => ({ activation: 'sigmoid' })],
  ['Tanh', () => ({ activation: 'tanh' })],
]);

function readClip({ inputs }: Node, graph: GraphView): Readonly<Record<string, number | string>> | undefined {
  const [, low = '', high = ''] = inputs;
  const min = low === '' ? -Infinity : numberConstant(graph, low);
  const max = high === '' ? Infinity : numberConstant(graph, high);
  if (min === undefined || max === undefined || !Number.isFinite(min)) return undefined;
  // Above float32's range there is no limit; onnxruntime writes Relu so.
  if (min === 0 && max >= FLOAT32_MAX) return { activation: 'relu' };
  return Number.isFinite(max) ? { activation: 'clip', min, max } : undefined;
}

const FLOAT32_MAX = (2 - 2 ** -23) * 2 ** 127;

/** PRelu with one slope for all. */
function readSlope(
  { inputs }: Node,
  graph: GraphView,
): Readonly<Record<string, number | string>> | undefined {
  const alpha = numberConstant(graph, inputs[1]);
  return alpha === undefined ? undefined : { activation: 'leaky_relu', alpha };
}

/** Operators that become a convolution's activation. */
export const CONV_ACTIVATIONS: readonly string[] = [...ACTIVATIONS.keys()];

function matchActivation(node: Node, graph: GraphView): Edit | undefined {
  const conv = plainProducer('Conv', node.inputs[0] ?? '', graph);
  const values = conv && ACTIVATIONS.get(node.opType)?.(node, graph);
  if (conv === undefined || values === undefined) return undefined;
  return {
    reason: `activation ${values['activation']}`,
    remove: [conv, node],
    add: [activated(conv, node, values)],
  };
}

function activated(conv: Node, last: Node, values: Readonly<Record<string, number | string>>): Node {
  return { ...conv, outputs: last.outputs, attributes: new Map([...conv.attributes, ...attributes(values)]) };
}
