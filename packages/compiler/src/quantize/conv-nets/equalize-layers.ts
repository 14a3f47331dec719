import { CompilerError } from '../../diagnostics/index.ts';
import { float32Tensor, typedData, type Float32Tensor, type Node } from '../../ir/index.ts';
import type { Edit, GraphView, Transform } from '../../rewrite/index.ts';
import { float32Constant } from '../../transforms/constants.ts';
import { isEdgewise } from '../../transforms/edgewise-node.ts';
import { intAttribute, stringAttribute } from '../../transforms/node-attributes.ts';
import { FLOAT32_REORDERING, ruleTransform } from '../../transforms/rule-transform.ts';
import { layerName } from './conv-net-plan.ts';
import type { ConvNetStatistics } from '../statistics/value-statistics.ts';

export interface EqualizeLayersOptions {
  /** From `observeConvNet` on the same graph; observe again afterwards. */
  readonly statistics: ConvNetStatistics;
  /** Largest factor by which a channel grows or shrinks. Default 16. */
  readonly largestFactor?: number;
}

export const EQUALIZE_LAYERS_DEFAULTS: Required<Omit<EqualizeLayersOptions, 'statistics'>> = {
  largestFactor: 16,
};

/**
 * Evens out the channels between two convolutions, so that one grid serves them all: filter i of the first is divided by sᵢ, the weights
 * of the second that meet channel i are multiplied by it. The outputs stay what they were where only a relu or nothing lies between,
 * relu(x/s) = relu(x)/s (Nagel et al., "Data-free quantization through weight equalization and bias correction", 2019, section 4.1).
 * There both weights share one scale per layer. Here weights have one scale per filter, so that the first layer's do not matter, and the
 * measured root mean square aᵢ of the channel stands in for them: sᵢ = √(aᵢ / rᵢ), rᵢ the root mean square of the second's weights that
 * meet the channel; sᵢ = aᵢ where the second is depthwise and its own scales take up any factor. Factors are relative to their geometric mean.
 * @throws CompilerError `bad-option` for a factor below 1.
 */
export function equalizeLayers(options: EqualizeLayersOptions): Transform {
  const { statistics, largestFactor } = { ...EQUALIZE_LAYERS_DEFAULTS, ...options };
  if (!(largestFactor >= 1))
    throw new CompilerError(
      'bad-option',
      `equalizeLayers: largestFactor must be at least 1, got ${largestFactor}`,
    );
  return ruleTransform({
    name: 'equalizeLayers',
    description: 'channels between two convolutions → the same magnitude',
    tolerance: FLOAT32_REORDERING,
    rules: () => {
      const done = new Set<string>();
      return [
        {
          name: 'pair',
          operators: ['edgewise.Conv'],
          match: (second, graph) => {
            const pair = findPair(second, graph);
            if (pair === undefined || done.has(pair.value)) return undefined;
            done.add(pair.value);
            const factors = factorsOf(pair, statistics, largestFactor);
            return factors && scalePair(pair, factors, graph);
          },
        },
      ];
    },
  });
}

interface Pair {
  readonly first: Node;
  readonly second: Node;
  /** The value between them. */
  readonly value: string;
  readonly firstWeight: Float32Tensor;
  readonly bias: Float32Tensor | undefined;
  readonly secondWeight: Float32Tensor;
}

function findPair(second: Node, graph: GraphView): Pair | undefined {
  const [value = '', weightName = ''] = second.inputs;
  const first = graph.producer(value);
  if (!isEdgewise(first, 'Conv') || graph.useCount(value) !== 1) return undefined;
  if (!['none', 'relu'].includes(stringAttribute(first, 'activation', 'none'))) return undefined;
  const firstWeight = float32Constant(graph, first.inputs[1]);
  const secondWeight = float32Constant(graph, weightName);
  const bias = float32Constant(graph, first.inputs[2]);
  const hasOtherBias = (first.inputs[2] ?? '') !== '' && bias === undefined;
  if (firstWeight === undefined || secondWeight === undefined || hasOtherBias) return undefined;
  return { first, second, value, firstWeight, bias, secondWeight };
}

/** The sᵢ; undefined without statistics. */
function factorsOf(
  { value, second, secondWeight }: Pair,
  statistics: ConvNetStatistics,
  largest: number,
): Float64Array | undefined {
  const seen = statistics.get(value);
  if (seen === undefined) return undefined;
  const { means, variances } = seen;
  const isDepthwise = secondWeight.dims[1] === 1 && intAttribute(second, 'group', 1) === means.length;
  const reads = isDepthwise ? undefined : channelEnergy(second, secondWeight, means.length);
  const raw = Float64Array.from(means, (mean, i) => {
    const magnitude = Math.sqrt(mean ** 2 + variances[i]!);
    return reads === undefined ? magnitude : Math.sqrt(magnitude / Math.sqrt(reads[i]!));
  });
  const isLive = (factor: number): boolean => factor > 0 && Number.isFinite(factor);
  const logs = Array.from(raw).filter(isLive).map(Math.log);
  const middle = Math.exp(logs.reduce((sum, log) => sum + log, 0) / Math.max(1, logs.length));
  return raw.map((factor) =>
    isLive(factor) ? Math.min(largest, Math.max(1 / largest, factor / middle)) : 1,
  );
}

/** Mean square of the weights that meet each input channel. */
function channelEnergy(node: Node, weight: Float32Tensor, channels: number): Float64Array {
  const sums = new Float64Array(channels);
  eachRead(node, weight, channels, (channel, at) => (sums[channel]! += typedData(weight)[at]! ** 2));
  return sums.map((sum) => (sum * channels) / typedData(weight).length);
}

function eachRead(
  node: Node,
  { dims, data }: Float32Tensor,
  channels: number,
  visit: (channel: number, at: number) => void,
): void {
  const [filters = 0, perGroup = 0, ...kernel] = dims;
  const area = kernel.reduce((product, size) => product * size, 1);
  const perFilterGroup = filters / intAttribute(node, 'group', 1);
  for (let at = 0; at < data.length / 4; at++) {
    const filter = Math.floor(at / (perGroup * area));
    const inGroup = Math.floor(at / area) % perGroup;
    visit((Math.floor(filter / perFilterGroup) * perGroup + inGroup) % channels, at);
  }
}

function scalePair(
  { first, second, value, firstWeight, bias, secondWeight }: Pair,
  factors: Float64Array,
  graph: GraphView,
): Edit {
  const inner = typedData(firstWeight).length / factors.length;
  const divided = typedData(firstWeight).map((w, at) => w / factors[Math.floor(at / inner)]!);
  const multiplied = typedData(secondWeight).slice();
  eachRead(second, secondWeight, factors.length, (channel, at) => (multiplied[at]! *= factors[channel]!));
  const base = layerName(first);
  const names = {
    first: graph.freshName(`${base}.equalized`),
    bias: graph.freshName(`${base}.equalized_bias`),
    second: graph.freshName(`${value}.equalized_reads`),
  };
  const initializers = new Map([
    [names.first, float32Tensor(firstWeight.dims, divided)],
    [names.second, float32Tensor(secondWeight.dims, multiplied)],
  ]);
  if (bias !== undefined)
    initializers.set(
      names.bias,
      float32Tensor(
        bias.dims,
        typedData(bias).map((b, i) => b / factors[i]!),
      ),
    );
  const biasInput = bias === undefined ? first.inputs.slice(2) : [names.bias];
  return {
    reason: `${factors.length} channels between ${base} and ${layerName(second)}`,
    remove: [first, second],
    add: [
      { ...first, inputs: [first.inputs[0] ?? '', names.first, ...biasInput] },
      { ...second, inputs: [value, names.second, ...second.inputs.slice(2)] },
    ],
    initializers,
  };
}
