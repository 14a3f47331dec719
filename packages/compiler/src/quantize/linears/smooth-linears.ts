import { CompilerError } from '../../diagnostics/index.ts';
import { float32Tensor, typedData, type Float32Tensor, type Node, type Tensor } from '../../ir/index.ts';
import type { Edit, GraphView, Transform } from '../../rewrite/index.ts';
import { float32Constant } from '../../transforms/constants.ts';
import { isEdgewise } from '../../transforms/edgewise-node.ts';
import { stringAttribute } from '../../transforms/node-attributes.ts';
import { FLOAT32_REORDERING, ruleTransform } from '../../transforms/rule-transform.ts';
import type { ActivationStatistics } from '../statistics/calibrate.ts';
import { chooseSmoothing, type Smoothing } from './smoothing.ts';

/** What smoothing did to one value. */
export interface SmoothingEffect extends Pick<Smoothing, 'strength' | 'gainDb'> {
  /** The value, and the layers that read it. */
  readonly value: string;
  readonly layers: readonly string[];
}

export interface SmoothLinearsOptions {
  /** From `observeActivations` on the same graph with `extremes`; observe again afterwards. */
  readonly statistics: ActivationStatistics;
  /** Bits that the weights will have. Default 7. */
  readonly weightBits?: 7 | 8;
  /** Called for each value that was smoothed. */
  readonly onValue?: (effect: SmoothingEffect) => void;
}

export const SMOOTH_LINEARS_DEFAULTS: Required<Pick<SmoothLinearsOptions, 'weightBits'>> = { weightBits: 7 };

/** Inputs of the gain and the bias of a normalization. */
const GAINS: Readonly<Record<string, readonly number[]>> = {
  LayerNorm: [1, 2],
  AddLayerNorm: [2, 3],
  EmbedLayerNorm: [5, 6],
};

/**
 * Divides the features of a value that only `Linear` layers read, each by its own factor, and multiplies the weights that meet it: features with
 * outliers no longer set the grid of all others (SmoothQuant). Outputs stay what they were. The division goes into what makes the
 * value: gain and bias of a normalization, the columns of a `Linear` without an activation or with a relu, those of the values of an
 * attention. The strength is chosen for each value by the expected error of what is computed from it with one static grid
 * (`chooseSmoothing`); what gains nothing stays.
 *
 * A value that is also added to something later, as every LayerNorm's is where normalization comes after the addition (BERT), cannot be divided
 * for free and stays.
 * @throws CompilerError `bad-option` for other bits, or statistics without extremes.
 */
export function smoothLinears(options: SmoothLinearsOptions): Transform {
  const { statistics, weightBits: bits, onValue } = { ...SMOOTH_LINEARS_DEFAULTS, ...options };
  if (bits !== 7 && bits !== 8)
    throw new CompilerError('bad-option', `smoothLinears: weightBits must be 7 or 8, got ${String(bits)}`);
  const { extremes: extremesOf } = statistics;
  if (extremesOf === undefined)
    throw new CompilerError('bad-option', 'smoothLinears: the statistics are without extremes', {
      hint: 'pass { extremes: true } to observeActivations',
    });
  return ruleTransform({
    name: 'smoothLinears',
    description: 'outliers of features → the weights that read them',
    tolerance: FLOAT32_REORDERING,
    rules: () => {
      const done = new Set<string>();
      return [
        {
          name: 'value',
          operators: [...Object.keys(GAINS), 'Linear', 'Attention'].map((opType) => `edgewise.${opType}`),
          match: (node, graph) => {
            const [value = ''] = node.outputs;
            const site = done.has(value) ? undefined : findSite(node, graph);
            const extremes = extremesOf.get(value);
            const meanSquares = statistics.moments.get(value)?.meanSquares();
            if (site === undefined || extremes === undefined || meanSquares === undefined) return undefined;
            done.add(value);
            const weights = site.readers.map(({ weight }) => weight);
            const smoothing = chooseSmoothing({ extremes, meanSquares, weights, bits });
            if (smoothing === undefined) return undefined;
            const { factors, strength, gainDb } = smoothing;
            const layers = site.readers.map(({ node: { name, outputs } }) => name || (outputs[0] ?? ''));
            onValue?.({ value, layers, strength, gainDb });
            return smooth(value, site, factors, graph);
          },
        },
      ];
    },
  });
}

interface Site {
  /** What can be divided, and the inputs that it is done to. */
  readonly maker: Node;
  readonly divided: readonly { readonly input: number; readonly tensor: Float32Tensor }[];
  readonly readers: readonly { readonly node: Node; readonly weight: Float32Tensor }[];
}

function findSite(node: Node, graph: GraphView): Site | undefined {
  const [value = ''] = node.outputs;
  const readers = graph.consumers(value).map((reader) => ({ node: reader, weight: weightOf(reader, graph) }));
  if (readers.length === 0 || graph.isOutput(value)) return undefined;
  if (!readers.every((reader) => reader.weight !== undefined && reader.node.inputs[0] === value))
    return undefined;
  const maker = isEdgewise(node, 'Attention') ? valuesOf(node, graph) : node;
  const inputs = maker && (GAINS[maker.opType] ?? linearInputsOf(maker));
  const divided = inputs?.map((input) => ({ input, tensor: float32Constant(graph, maker?.inputs[input]) }));
  if (maker === undefined || divided === undefined || !divided.every(({ tensor }) => tensor))
    return undefined;
  return { maker, divided, readers } as Site;
}

function weightOf(node: Node, graph: GraphView): Float32Tensor | undefined {
  return isEdgewise(node, 'Linear') ? float32Constant(graph, node.inputs[1]) : undefined;
}

/** The layer that makes the values of an attention, which weighs them feature by feature. */
function valuesOf({ inputs: [, , value = ''] }: Node, graph: GraphView): Node | undefined {
  const maker = graph.producer(value);
  return isEdgewise(maker, 'Linear') && graph.useCount(value) === 1 ? maker : undefined;
}

function linearInputsOf(node: Node): readonly number[] | undefined {
  if (!['none', 'relu'].includes(stringAttribute(node, 'activation', 'none'))) return undefined;
  return (node.inputs[2] ?? '') === '' ? [1] : [1, 2];
}

function smooth(
  value: string,
  { maker, divided, readers }: Site,
  factors: Float64Array,
  graph: GraphView,
): Edit {
  const initializers = new Map<string, Tensor>();
  const withInput = (
    node: Node,
    input: number,
    tensor: Float32Tensor,
    map: (x: number, at: number) => number,
  ): Node => {
    const name = graph.freshName(`${node.inputs[input]}_smoothed`);
    initializers.set(name, float32Tensor(tensor.dims, typedData(tensor).map(map)));
    return { ...node, inputs: node.inputs.map((old, i) => (i === input ? name : old)) };
  };
  // Gains, biases and the columns of a weight: the last axis.
  const made = divided.reduce(
    (node, { input, tensor }) => withInput(node, input, tensor, (x, at) => x / factors[at % factors.length]!),
    maker,
  );
  const read = readers.map(({ node, weight }) => {
    const columns = weight.dims[1] ?? 1;
    return withInput(node, 1, weight, (w, at) => w * factors[Math.floor(at / columns)]!);
  });
  return {
    reason: `${factors.length} features of ${value}`,
    remove: [maker, ...readers.map(({ node }) => node)],
    add: [made, ...read],
    initializers,
  };
}
