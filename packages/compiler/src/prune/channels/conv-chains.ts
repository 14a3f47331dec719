import { type Float32Tensor, type Model, type Node } from '../../ir/index.ts';
import { GraphIndex, type GraphView } from '../../rewrite/index.ts';
import { float32Constant } from '../../transforms/constants.ts';
import { isEdgewise, isStandard } from '../../transforms/edgewise-node.ts';
import { intAttribute } from '../../transforms/node-attributes.ts';

/** Channels that one convolution makes and only one other reads. */
export interface ConvChain {
  /** Makes the channels, one per filter. */
  readonly first: Node;
  /** What each channel goes through on its own, in order: depthwise convolutions, pooling, relu. */
  readonly between: readonly Node[];
  /** Mixes the channels. */
  readonly last: Node;
  readonly channels: number;
}

/**
 * The channels of a compact convolutional network that are free to go. Channels that meet others on the way (Add, Concat, Mul by
 * a gate), that several nodes read, that are an output or go into a Linear, are not.
 */
export function convChains({ graph }: Model, index: GraphView = new GraphIndex(graph)): ConvChain[] {
  return graph.nodes.flatMap((node) => readChain(node, index) ?? []);
}

function readChain(first: Node, index: GraphView): ConvChain | undefined {
  if (!isOrdinary(first, index)) return undefined;
  const between: Node[] = [];
  for (let node = first; ; between.push(node)) {
    const [value = ''] = node.outputs;
    const [reader] = index.consumers(value);
    if (index.useCount(value) !== 1 || reader?.inputs[0] !== value) return undefined;
    if (isOrdinary(reader, index))
      return { first, between, last: reader, channels: convWeight(first, index)!.dims[0] ?? 0 };
    if (!keepsChannels(reader, index)) return undefined;
    node = reader;
  }
}

/** A convolution whose filters read all channels, with constants for weights. */
export function isOrdinary(node: Node, index: GraphView): boolean {
  return convWeight(node, index) !== undefined && intAttribute(node, 'group', 1) === 1;
}

/** A convolution with one filter for each channel. */
export function isDepthwise(node: Node, index: GraphView): boolean {
  const dims = convWeight(node, index)?.dims;
  return dims !== undefined && dims[1] === 1 && dims[0] === intAttribute(node, 'group', 1);
}

function keepsChannels(node: Node, index: GraphView): boolean {
  if (node.outputs.length !== 1) return false;
  return isDepthwise(node, index) || isStandard(node, 'AveragePool', 'MaxPool', 'Relu');
}

/** The weight [M,C/group,…]; undefined unless the node is a convolution that has it and its bias as float constants. */
export function convWeight(node: Node, index: GraphView): Float32Tensor | undefined {
  if (!isEdgewise(node, 'Conv')) return undefined;
  const [, weight, bias = ''] = node.inputs;
  return bias === '' || float32Constant(index, bias) ? float32Constant(index, weight) : undefined;
}
