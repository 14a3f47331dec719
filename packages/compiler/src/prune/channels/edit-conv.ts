import {
  elementCount,
  float32Tensor,
  typedData,
  type Model,
  type Node,
  type Tensor,
} from '../../ir/index.ts';
import { GraphIndex, type Edit, type GraphView, type TransformResult } from '../../rewrite/index.ts';
import { float32Constant } from '../../transforms/constants.ts';
import { isDepthwise, convWeight } from './conv-chains.ts';

/** A convolution in another form, with its new constants. */
export interface ChangedConv {
  readonly node: Node;
  readonly initializers: readonly (readonly [string, Tensor])[];
}

/** Applies one edit to a graph and forgets the types of values whose channels may have changed. */
export function editConvs(model: Model, edit: (index: GraphView) => Edit | undefined): TransformResult {
  const index = new GraphIndex(model.graph);
  const wanted = edit(index);
  if (wanted === undefined) return { edits: 0 };
  index.apply(wanted);
  for (const node of wanted.add ?? [])
    for (const output of node.outputs) model.graph.valueInfo.delete(output);
  index.commit();
  return { edits: 1 };
}

/** The convolution with only these of its filters; of a depthwise one also the channels that they read. */
export function takeFilters(node: Node, keep: readonly number[], index: GraphView): ChangedConv {
  const weight = convWeight(node, index)!;
  const inner = elementCount(weight.dims.slice(1));
  const bias = convBias(node, index);
  const changed = withWeight(
    node,
    float32Tensor([keep.length, ...weight.dims.slice(1)], takeBlocks(typedData(weight), keep, inner)),
    bias && takeBlocks(bias, keep, 1),
    index,
  );
  if (!isDepthwise(node, index)) return changed;
  const group = { kind: 'int', value: BigInt(keep.length) } as const;
  return { ...changed, node: { ...changed.node, attributes: new Map(node.attributes).set('group', group) } };
}

/** The convolution with only these of the channels that it reads. */
export function takeChannels(node: Node, keep: readonly number[], index: GraphView): ChangedConv {
  const weight = convWeight(node, index)!;
  const [filters = 0, channels = 0, ...kernel] = weight.dims;
  const all = Array.from({ length: filters }, (_, filter) =>
    keep.map((channel) => filter * channels + channel),
  );
  const kept = takeBlocks(typedData(weight), all.flat(), elementCount(kernel));
  return withWeight(
    node,
    float32Tensor([filters, keep.length, ...kernel], kept),
    convBias(node, index),
    index,
  );
}

/** The bias [M]; undefined for none. */
export function convBias(node: Node, index: GraphView): Float32Array | undefined {
  const bias = float32Constant(index, node.inputs[2]);
  return bias && typedData(bias);
}

/** The convolution with another weight and bias. */
export function withWeight(
  node: Node,
  weight: Tensor,
  bias: Float32Array | undefined,
  index: GraphView,
): ChangedConv {
  const [x = '', weightName = '', biasName = ''] = node.inputs;
  const newWeight = index.freshName(`${weightName}_pruned`);
  const initializers: [string, Tensor][] = [[newWeight, weight]];
  if (bias === undefined) return { node: { ...node, inputs: [x, newWeight] }, initializers };
  const newBias = index.freshName(`${biasName || `${weightName}_bias`}_pruned`);
  initializers.push([newBias, float32Tensor([bias.length], bias)]);
  return { node: { ...node, inputs: [x, newWeight, newBias] }, initializers };
}

/** The blocks of `size` numbers with these places. */
function takeBlocks(from: Float32Array, places: readonly number[], size: number): Float32Array {
  const taken = new Float32Array(places.length * size);
  for (const [at, place] of places.entries())
    taken.set(from.subarray(place * size, (place + 1) * size), at * size);
  return taken;
}
