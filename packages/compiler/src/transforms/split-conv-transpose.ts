import {
  float32Tensor,
  int64Tensor,
  typedData,
  type Attribute,
  type Float32Tensor,
  type Node,
  type Tensor,
} from '../ir/index.ts';
import { opsetVersion, readAttributes, transposedWindow } from '../ops/index.ts';
import type { Edit, GraphView, Transform } from '../rewrite/index.ts';
import { affineOf, channelNumbers } from './channel-affine.ts';
import { float32Constant, numberConstant } from './constants.ts';
import { isStandard } from './edgewise-node.ts';
import { CONV_ACTIVATIONS } from './fuse-conv.ts';
import { intAttribute } from './node-attributes.ts';
import { intsAttributes, Replacement } from './replacement.ts';
import { FLOAT32_REORDERING, ruleTransform, type RuleContext } from './rule-transform.ts';

/**
 * Writes ConvTranspose with constant weights and fixed extents as one Conv that computes all outputs between two inputs as
 * channels (each output position is a convolution with every stride-th weight; Shi et al. 2016 give the equality), and
 * operators that move them to their places. What follows per channel goes into the weights, an activation before the move.
 */
export function splitConvTranspose(): Transform {
  return ruleTransform({
    name: 'splitConvTranspose',
    description: 'ConvTranspose → Conv, then Reshape, Transpose and Slice',
    tolerance: FLOAT32_REORDERING,
    rules: (context) => [
      {
        name: 'constant weights',
        operators: ['ConvTranspose'],
        match: (node, graph) => matchConvTranspose(node, graph, context),
      },
    ],
  });
}

/** The opset from which on Slice has its places as inputs. */
const FIRST_OPSET = 10;

function matchConvTranspose(node: Node, graph: GraphView, { model, typeOf }: RuleContext): Edit | undefined {
  const [x = '', weightName = '', biasName = ''] = node.inputs;
  const weight = float32Constant(graph, weightName);
  const bias = float32Constant(graph, biasName);
  const shape = typeOf(x)?.shape;
  if (weight === undefined || (biasName !== '' && bias === undefined) || shape === undefined)
    return undefined;
  if (opsetVersion(model.opsets, '') < FIRST_OPSET) return undefined;
  const [batch, , ...spatial] = shape;
  if (!spatial.every((dim) => typeof dim === 'number')) return undefined;
  const phases = phasesOf(node, weight, spatial);
  const chain = collectChain(node, graph, phases);
  const { activation } = chain;
  const replacement = new Replacement(graph, chain.output);
  const constants = [
    replacement.constant('weight', phaseWeights(weight, phases, chain.factor)),
    replacement.constant('bias', phaseBias(bias, phases, chain)),
  ];
  let value = replacement.step('Conv', [x, ...constants], convAttributes(phases), node);
  if (activation) {
    const { opType, inputs, attributes } = activation;
    value = replacement.step(opType, [value, ...inputs.slice(1)], attributes, activation);
  }
  addMoves(replacement, value, typeof batch === 'number' ? batch : 0, phases);
  return {
    reason: `${phases.count} outputs for each input`,
    remove: [node, ...chain.nodes],
    ...replacement.finish(),
  };
}

/** Output o of the cut output lies at stride·q + r − crop, r being its phase: a convolution at position q. */
interface PhaseAxis {
  readonly stride: number;
  readonly dilation: number;
  readonly kernel: number;
  /** Positions of the convolution's kernel. */
  readonly taps: number;
  readonly padBefore: number;
  readonly padAfter: number;
  /** Positions that the convolution computes. */
  readonly positions: number;
  readonly crop: number;
  readonly out: number;
}

interface Phases {
  readonly axes: readonly PhaseAxis[];
  /** Phases of all axes. */
  readonly count: number;
  readonly groups: number;
  /** Channels of a group. */
  readonly channels: number;
  readonly filters: number;
}

function phasesOf(node: Node, { dims }: Float32Tensor, spatial: readonly number[]): Phases {
  const groups = intAttribute(node, 'group', 1);
  const [channels = 0, filters = 0, ...kernels] = dims;
  const { rule, out, begins } = transposedWindow(readAttributes(node), kernels, spatial);
  const axes = kernels.map((kernel, axis): PhaseAxis => {
    const [stride, dilation] = [rule.strides[axis]!, rule.dilations[axis]!];
    const taps = Math.ceil(((kernel - 1) * dilation + 1) / stride);
    // What is cut off in front is not computed, as far as that is padding of the convolution.
    const skipped = Math.min(Math.floor(begins[axis]! / stride), taps - 1);
    const crop = begins[axis]! - skipped * stride;
    const positions = Math.max(Math.ceil((crop + out[axis]!) / stride), spatial[axis]! - skipped);
    const padAfter = positions - spatial[axis]! + skipped;
    const padBefore = taps - 1 - skipped;
    return { stride, dilation, kernel, taps, padBefore, padAfter, positions, crop, out: out[axis]! };
  });
  const count = axes.reduce((product, { stride }) => product * stride, 1);
  return { axes, count, groups, channels: channels / groups, filters };
}

interface Chain {
  /** Behind the ConvTranspose, to be replaced with it. */
  readonly nodes: readonly Node[];
  readonly output: string;
  readonly factor: (channel: number) => number;
  readonly offset: (channel: number) => number;
  readonly activation: Node | undefined;
}

/** Additions and multiplications per channel, then one activation, as long as nothing else reads the values. */
function collectChain(node: Node, graph: GraphView, { axes, groups, filters }: Phases): Chain {
  const nodes: Node[] = [];
  let output = node.outputs[0] ?? '';
  let [factor, offset] = [(_: number): number => 1, (_: number): number => 0];
  for (;;) {
    const next = onlyConsumer(graph, output);
    const other = next?.inputs.find((input) => input !== output) ?? '';
    const numbers = next && channelNumbers(graph, other, groups * filters, axes.length + 2);
    const affine = next && affineOf(next.opType, next.inputs[0] === output, numbers);
    if (next === undefined || affine === undefined) {
      const isActivation = isStandard(next, ...CONV_ACTIVATIONS) && next.inputs[0] === output;
      const activation = isActivation && isSameForAll(next, graph) ? next : undefined;
      return {
        nodes: activation ? [...nodes, activation] : nodes,
        output: activation?.outputs[0] ?? output,
        factor,
        offset,
        activation,
      };
    }
    const [before, shift] = [factor, offset];
    factor = (channel) => before(channel) * affine.factor(channel);
    offset = (channel) => shift(channel) * affine.factor(channel) + affine.offset(channel);
    nodes.push(next);
    output = next.outputs[0] ?? '';
  }
}

function onlyConsumer(graph: GraphView, value: string): Node | undefined {
  const [next] = graph.consumers(value);
  return graph.useCount(value) === 1 && next?.domain === '' ? next : undefined;
}

/** Whether an activation does the same to every element. */
function isSameForAll({ inputs }: Node, graph: GraphView): boolean {
  return inputs.slice(1).every((input) => input === '' || numberConstant(graph, input) !== undefined);
}

/** [C, M/group, k…] to [group·phases·M/group, C/group, taps…]. */
function phaseWeights(
  weight: Float32Tensor,
  { axes, count, groups, channels, filters }: Phases,
  factor: (channel: number) => number,
): Float32Tensor {
  const from = typedData(weight);
  const taps = axes.map((axis) => axis.taps);
  const area = taps.reduce((product, extent) => product * extent, 1);
  const cells = axes.reduce((product, { kernel }) => product * kernel, 1);
  const to = new Float32Array(groups * count * filters * channels * area);
  to.forEach((_, index) => {
    const [row, tap] = [Math.floor(index / area), index % area];
    const [filterRow, channel] = [Math.floor(row / channels), row % channels];
    const [phaseRow, filter] = [Math.floor(filterRow / filters), filterRow % filters];
    const [group, phase] = [Math.floor(phaseRow / count), phaseRow % count];
    const cell = cellOf(axes, phase, tap);
    if (cell === undefined) return;
    const at = ((group * channels + channel) * filters + filter) * cells + cell;
    to[index] = from[at]! * factor(group * filters + filter);
  });
  return float32Tensor([groups * count * filters, channels, ...taps], to) as Float32Tensor;
}

/** The weight that a phase uses at a tap of the convolution; undefined where there is none. */
function cellOf(axes: readonly PhaseAxis[], phase: number, tap: number): number | undefined {
  let [cell, size, restOfPhase, restOfTap] = [0, 1, phase, tap];
  for (const { stride, dilation, kernel, taps } of axes.toReversed()) {
    const distance = (restOfPhase % stride) + stride * (taps - 1 - (restOfTap % taps));
    if (distance % dilation !== 0 || distance / dilation >= kernel) return undefined;
    cell += size * (distance / dilation);
    size *= kernel;
    restOfPhase = Math.floor(restOfPhase / stride);
    restOfTap = Math.floor(restOfTap / taps);
  }
  return cell;
}

function phaseBias(
  bias: Float32Tensor | undefined,
  { count, groups, filters }: Phases,
  { factor, offset }: Chain,
): Tensor {
  const values = bias ? typedData(bias) : new Float32Array(groups * filters);
  const length = groups * count * filters;
  return float32Tensor(
    [length],
    Float64Array.from({ length }, (_, index) => {
      const channel = Math.floor(index / (count * filters)) * filters + (index % filters);
      return values[channel]! * factor(channel) + offset(channel);
    }),
  );
}

function convAttributes({ axes, groups }: Phases): Map<string, Attribute> {
  return new Map([
    ...intsAttributes({
      kernel_shape: axes.map(({ taps }) => taps),
      pads: [...axes.map(({ padBefore }) => padBefore), ...axes.map(({ padAfter }) => padAfter)],
    }),
    ['group', { kind: 'int', value: BigInt(groups) }],
  ]);
}

/** From [N, group·phases·M/group, positions…] to the output. */
function addMoves(
  replacement: Replacement,
  conv: string,
  batch: number,
  { axes, count, groups, filters }: Phases,
): void {
  const list = (values: readonly number[]): string =>
    replacement.constant('list', int64Tensor([values.length], values));
  const rank = axes.length;
  const positions = axes.map((axis) => axis.positions);
  let value = conv;
  if (count > 1) {
    const apart = [batch, groups, ...axes.map(({ stride }) => stride), filters, ...positions];
    const perm = [0, 1, 2 + rank, ...axes.flatMap((_, axis) => [3 + rank + axis, 2 + axis])];
    const together = axes.map(({ stride }, axis) => stride * positions[axis]!);
    value = replacement.step('Reshape', [value, list(apart)]);
    value = replacement.step('Transpose', [value], intsAttributes({ perm }));
    value = replacement.step('Reshape', [value, list([batch, groups * filters, ...together])]);
  }
  const isCut = axes.some(({ crop, out, stride }, axis) => crop > 0 || out < stride * positions[axis]!);
  if (!isCut) return;
  const [starts, ends] = [axes.map(({ crop }) => crop), axes.map(({ crop, out }) => crop + out)];
  replacement.step('Slice', [value, list(starts), list(ends), list(axes.map((_, axis) => axis + 2))]);
}
