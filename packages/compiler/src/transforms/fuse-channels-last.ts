import { float32Tensor, typedData, type Node } from '../ir/index.ts';
import type { Edit, GraphView, Transform } from '../rewrite/index.ts';
import { float32Constant } from './constants.ts';
import { edgewiseNode, isEdgewise, isStandard } from './edgewise-node.ts';
import { intAttribute, intsAttribute, stringAttribute } from './node-attributes.ts';
import { FLOAT32_REORDERING, ruleTransform } from './rule-transform.ts';

/**
 * Writes a pointwise `Conv` between two Transposes, the way TensorFlow's layers on channels come out of converters, as the `Linear` on the
 * last axis that it is. After `fuseConv`.
 */
export function fuseChannelsLast(): Transform {
  return ruleTransform({
    name: 'fuseChannelsLast',
    description: '1×1 convolution between Transposes → Linear',
    tolerance: FLOAT32_REORDERING,
    rules: () => [{ name: 'pointwise', operators: ['Transpose'], match: matchPointwise }],
  });
}

const ACTIVATIONS: ReadonlySet<string> = new Set(['none', 'relu', 'tanh', 'sigmoid', 'silu']);

/** `node` puts the channels back behind. */
function matchPointwise(node: Node, graph: GraphView): Edit | undefined {
  const [value = ''] = node.inputs;
  const conv = graph.producer(value);
  if (!isEdgewise(conv, 'Conv') || graph.useCount(value) !== 1) return undefined;
  const [map = '', weightName = '', bias = ''] = conv.inputs;
  const first = graph.producer(map);
  const weight = float32Constant(graph, weightName);
  const activation = stringAttribute(conv, 'activation', 'none');
  if (!isStandard(first, 'Transpose') || weight === undefined || !ACTIVATIONS.has(activation))
    return undefined;
  const rank = weight.dims.length;
  const axes = Array.from({ length: rank - 2 }, (_, axis) => axis);
  const toMap = [0, rank - 1, ...axes.map((axis) => axis + 1)];
  const toRows = [0, ...axes.map((axis) => axis + 2), 1];
  if (!isPermutation(first, toMap) || !isPermutation(node, toRows) || !isPointwise(conv, weight.dims))
    return undefined;
  const [filters = 0, channels = 0] = weight.dims;
  const matrix = graph.freshName(`${weightName}.linear`);
  const values = typedData(weight);
  const turned = Float32Array.from(
    values,
    (_, at) => values[(at % filters) * channels + Math.floor(at / filters)]!,
  );
  const inputs = [first.inputs[0] ?? '', matrix, ...(bias === '' ? [] : [bias])];
  return {
    reason: `${channels} to ${filters} channels`,
    remove: [conv, node],
    add: [edgewiseNode('Linear', conv, inputs, node.outputs, { activation })],
    initializers: new Map([[matrix, float32Tensor([channels, filters], turned)]]),
  };
}

function isPermutation(node: Node, order: readonly number[]): boolean {
  const perm = intsAttribute(node, 'perm');
  return perm?.length === order.length && perm.every((axis, i) => axis === order[i]);
}

function isPointwise(conv: Node, dims: readonly number[]): boolean {
  const plain = (name: string, value: number): boolean =>
    intsAttribute(conv, name)?.every((number) => number === value) !== false;
  const isSingle = dims.slice(2).every((extent) => extent === 1);
  return isSingle && intAttribute(conv, 'group', 1) === 1 && plain('pads', 0) && plain('strides', 1);
}
