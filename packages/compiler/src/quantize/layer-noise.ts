import { typedData, type Float32Tensor, type Node } from '../ir/index.ts';
import { intAttribute } from '../transforms/node-attributes.ts';
import { isEdgewise } from '../transforms/edgewise-node.ts';
import type { ValueStatistics } from './value-statistics.ts';

/** The weights of a Conv [M, C/group, …] or a Linear [K, N] by filter and by the input channel that they meet. */
export interface Filters {
  readonly count: number;
  /** Weights of a filter. */
  readonly length: number;
  /** Place of weight i of filter m. */
  readonly at: (m: number, i: number) => number;
  /** Input channel that weight i of filter m meets. */
  readonly channel: (m: number, i: number) => number;
}

export function filtersOf(node: Node, { dims }: Float32Tensor): Filters {
  const [first = 0, second = 0, ...kernel] = dims;
  if (!isEdgewise(node, 'Conv'))
    return { count: second, length: first, at: (m, i) => i * second + m, channel: (_, i) => i };
  const area = kernel.reduce((product, size) => product * size, 1);
  const perGroup = first / intAttribute(node, 'group', 1);
  const length = second * area;
  return {
    count: first,
    length,
    at: (m, i) => m * length + i,
    channel: (m, i) => Math.floor(m / perGroup) * second + Math.floor(i / area),
  };
}

/**
 * Share of a layer's output that is noise when its input is rounded to steps of this width: per filter Σ w²·step²/12 over itself and
 * the output channel's variance on the samples (what the channel tells apart), the mean over the filters that tell anything apart.
 */
export function inputNoise(node: Node, weight: Float32Tensor, step: number, output: ValueStatistics): number {
  const filters = filtersOf(node, weight);
  const values = typedData(weight);
  return noiseShare(output, filters.count, (m) => {
    let energy = 0;
    for (let i = 0; i < filters.length; i++) energy += values[filters.at(m, i)]! ** 2;
    return (energy * step * step) / 12;
  });
}

/** The same for the rounding of the weights: Σ (w − ŵ)²·Var(x). What it does to the mean, the bias takes back. */
export function weightNoise(
  node: Node,
  weight: Float32Tensor,
  rounded: { readonly weight: Int8Array; readonly scale: Float32Array },
  input: ValueStatistics,
  output: ValueStatistics,
): number {
  const filters = filtersOf(node, weight);
  const values = typedData(weight);
  const { variances } = input;
  return noiseShare(output, filters.count, (m) => {
    let noise = 0;
    for (let i = 0; i < filters.length; i++) {
      const at = filters.at(m, i);
      noise +=
        (values[at]! - rounded.weight[at]! * rounded.scale[m]!) ** 2 * variances[filters.channel(m, i)]!;
    }
    return noise;
  });
}

/** The share of a value that an error of this mean square is in every channel. */
export function constantNoise(meanSquare: number, value: ValueStatistics): number {
  return noiseShare(value, value.variances.length, () => meanSquare);
}

function noiseShare(output: ValueStatistics, count: number, noiseOf: (filter: number) => number): number {
  const { variances } = output;
  let [sum, live] = [0, 0];
  for (let m = 0; m < count; m++) {
    const variance = variances[m] ?? 0;
    if (variance === 0) continue;
    const noise = noiseOf(m);
    sum += noise / (noise + variance);
    live++;
  }
  return live === 0 ? 0 : sum / live;
}
