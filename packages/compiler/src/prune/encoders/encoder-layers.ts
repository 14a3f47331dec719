import { CompilerError } from '../../diagnostics/index.ts';
import { isFloat32, typedData, type Float32Tensor, type Model, type Node } from '../../ir/index.ts';
import { GraphIndex, type GraphView } from '../../rewrite/index.ts';
import { isEdgewise } from '../../transforms/edgewise-node.ts';
import { intAttribute } from '../../transforms/node-attributes.ts';

/** The two halves of a layer: attention with its projection, and the two feed-forward layers. Each ends in an AddLayerNorm. */
export type LayerPart = 'attention' | 'feedForward';

/** The end of a part: `norm(projection(x) + skip)`. */
export interface Projected {
  /** The Linear whose inputs are heads or neurons. */
  readonly projection: Node;
  /** Its input [B,S,K]. */
  readonly input: string;
  /** What is added to its output [B,S,N]. */
  readonly skip: string;
  /** The AddLayerNorm. */
  readonly norm: Node;
}

/** A layer of the compact graph that normalizes after each sum, as BERT's do. */
export interface EncoderLayer {
  /** Value that the layer starts from, and that it makes. */
  readonly input: string;
  readonly output: string;
  /** The Linears of q, k and v. */
  readonly heads: readonly Node[];
  readonly attention: Node;
  readonly headCount: number;
  /** The first feed-forward Linear, whose outputs are the neurons. */
  readonly widen: Node;
  readonly neuronCount: number;
  readonly parts: Readonly<Record<LayerPart, Projected>>;
}

/**
 * The layers of a compact encoder, first to last.
 * @throws CompilerError `unsupported` for a graph without such layers, or where an Attention is not part of one.
 */
export function encoderLayers(
  { graph }: Model,
  index: GraphView = new GraphIndex(graph),
): readonly EncoderLayer[] {
  const attentions = graph.nodes.filter((node) => isEdgewise(node, 'Attention'));
  if (attentions.length === 0)
    throw new CompilerError(
      'unsupported',
      'the graph has no edgewise.Attention: there are no encoder layers to prune',
      {
        hint: 'run compactEncoder() first',
      },
    );
  return attentions.map((attention) => {
    const layer = readLayer(attention, index);
    if (layer !== undefined) return layer;
    const name = attention.name || (attention.outputs[0] ?? '');
    throw new CompilerError('unsupported', `the attention '${name}' is not in a layer like BERT's`, {
      at: { node: name },
      hint: 'layers that can be pruned are attention, projection, AddLayerNorm, two linear layers, AddLayerNorm, with float weights of their own',
    });
  });
}

function readLayer(attention: Node, index: GraphView): EncoderLayer | undefined {
  const heads = attention.inputs.slice(0, 3).map((value) => index.producer(value));
  const attended = readProjected(attention, index);
  const [middle = ''] = attended?.norm.outputs ?? [];
  const widen = index.consumers(middle).find((node) => isEdgewise(node, 'Linear'));
  const fed = widen && readProjected(widen, index);
  if (attended === undefined || fed === undefined || widen === undefined) return undefined;
  if (!heads.every((node) => isEdgewise(node, 'Linear'))) return undefined;
  const linears = [...heads, attended.projection, widen, fed.projection];
  const isLayer =
    new Set(heads).size === 3 &&
    heads.every((node) => node.inputs[0] === attended.skip && index.useCount(node.outputs[0] ?? '') === 1) &&
    fed.skip === middle &&
    index.useCount(middle) === 2 &&
    linears.every((node) => hasOwnWeights(node, index));
  return isLayer
    ? {
        input: attended.skip,
        output: fed.norm.outputs[0] ?? '',
        heads,
        attention,
        headCount: intAttribute(attention, 'num_heads', 1),
        widen,
        neuronCount: linearWeight(widen, index).dims[1] ?? 0,
        parts: { attention: attended, feedForward: fed },
      }
    : undefined;
}

/** The Linear and the AddLayerNorm that alone read what the node makes. */
function readProjected(node: Node, index: GraphView): Projected | undefined {
  const [input = ''] = node.outputs;
  const projection = onlyReader(input, index);
  if (!isEdgewise(projection, 'Linear')) return undefined;
  const [projected = ''] = projection.outputs;
  const norm = onlyReader(projected, index);
  if (!isEdgewise(norm, 'AddLayerNorm')) return undefined;
  const skip = norm.inputs.slice(0, 2).find((value) => value !== projected);
  return skip === undefined ? undefined : { projection, input, skip, norm };
}

function onlyReader(value: string, index: GraphView): Node | undefined {
  const [reader] = index.consumers(value);
  return index.useCount(value) === 1 ? reader : undefined;
}

/** Layers that share weights (ALBERT's) lose no bytes when one of them is pruned. */
function hasOwnWeights({ inputs }: Node, index: GraphView): boolean {
  const [, weight = '', bias = ''] = inputs;
  return (
    isMatrix(index, weight) &&
    index.useCount(weight) === 1 &&
    (bias === '' || index.constant(bias) !== undefined)
  );
}

function isMatrix(index: GraphView, value: string): boolean {
  const tensor = index.constant(value);
  return tensor !== undefined && isFloat32(tensor) && tensor.dims.length === 2;
}

/** Weight [K,N] of a Linear of an encoder layer. */
export function linearWeight(node: Node, index: GraphView): Float32Tensor {
  return float32Input(node, 1, index);
}

/** Bias [N] of a Linear of an encoder layer; zeros where it has none. */
export function linearBias(node: Node, index: GraphView): Float32Array {
  const columns = linearWeight(node, index).dims[1] ?? 0;
  return node.inputs[2] ? typedData(float32Input(node, 2, index)) : new Float32Array(columns);
}

export function float32Input({ inputs }: Node, slot: number, index: GraphView): Float32Tensor {
  const tensor = index.constant(inputs[slot] ?? '');
  if (tensor === undefined || !isFloat32(tensor)) throw new Error(`${inputs[slot]} is no float32 constant`);
  return tensor;
}
