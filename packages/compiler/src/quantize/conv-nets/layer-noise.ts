import { typedData, type Float32Tensor, type Node } from '../../ir/index.ts';
import { multiplyMatrices } from '../../ops/index.ts';
import { isEdgewise } from '../../transforms/edgewise-node.ts';
import type { PatchMoments } from '../statistics/patch-moments.ts';
import type { ValueStatistics } from '../statistics/value-statistics.ts';

/**
 * Share of a layer's output that is noise when its input is rounded to steps of this width: per filter Σ w²·step²/12 over itself and
 * the output channel's variance on the samples (what the channel tells apart), the mean over the filters that tell anything apart.
 */
export function inputNoise(node: Node, weight: Float32Tensor, step: number, output: ValueStatistics): number {
  const values = typedData(weight);
  const [first = 0, second = 0] = weight.dims;
  // Filters are the rows of a Conv's weight and the columns of a Linear's.
  const isConv = isEdgewise(node, 'Conv');
  const energies = new Float64Array(isConv ? first : second);
  const length = values.length / energies.length;
  for (let at = 0; at < values.length; at++)
    energies[isConv ? Math.floor(at / length) : at % second]! += values[at]! ** 2;
  return noiseShare(output, energies.length, (m) => (energies[m]! * step * step) / 12);
}

/**
 * The same for errors of the weights, [weights of a filter, filters]: eᵀ·Cov(x)·e of what a filter reads. What they do to the mean, the bias
 * takes back.
 */
export function weightNoise(errors: Float32Array, moments: PatchMoments, output: ValueStatistics): number {
  const [{ width } = { width: 0 }] = moments.groups;
  const count = errors.length / width;
  const perGroup = count / moments.groups.length;
  const variances = moments.groups.flatMap((group, g) => [
    ...quadraticForms(group.covariance(), columnsOf(errors, count, g * perGroup, perGroup), perGroup),
  ]);
  return noiseShare(output, count, (m) => variances[m]!);
}

/** Some of the columns of a row-major matrix, as a matrix. */
export function columnsOf(matrix: Float32Array, columns: number, first: number, count: number): Float32Array {
  if (count === columns) return matrix;
  const out = new Float32Array((matrix.length / columns) * count);
  for (let from = first, to = 0; to < out.length; from += columns, to += count)
    out.set(matrix.subarray(from, from + count), to);
  return out;
}

/** vᵀ·M·v for each column v of a row-major matrix; of M, symmetric, the upper triangle is read. */
function quadraticForms(upper: Float64Array, vectors: Float32Array, columns: number): Float64Array {
  const width = vectors.length / columns;
  const matrix = new Float32Array(width * width);
  for (let i = 0; i < width; i++)
    for (let j = i; j < width; j++) matrix[i * width + j] = matrix[j * width + i] = upper[i * width + j]!;
  const products = new Float32Array(vectors.length);
  multiplyMatrices(matrix, vectors, products, { m: width, k: width, n: columns });
  const forms = new Float64Array(columns);
  for (let at = 0; at < vectors.length; at++) forms[at % columns]! += vectors[at]! * products[at]!;
  return forms.map((form) => Math.max(0, form));
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
