import type { Node } from '../../ir/index.ts';
import { readAttributes, readWindowRule, windowDims, windowIndex, windowPads } from '../../ops/index.ts';
import { isEdgewise } from '../../transforms/edgewise-node.ts';
import { SecondMoments } from './second-moments.ts';

/** Patches of an image that are looked at: so many numbers of a filter for each, but not fewer than eight. Neighbours are much alike. */
const NUMBERS_PER_PATCH = 8;
const FEWEST_PATCHES = 8;

/** From image to image the patches move by this share of their distance, so that they come to lie everywhere. */
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;

/** Second moments of what the filters of a layer read, in the order of their weights: of patches of the image, or of features. */
export class PatchMoments {
  /** One for each group of the convolution: its filters read the same. */
  readonly groups: readonly SecondMoments[];
  readonly #node: Node;
  readonly #kernel: readonly number[];
  readonly #perGroup: number;
  #images = 0;
  #windows: Windows | undefined;

  /** @param dims of the weight: [M, C/group, …kernel] of a Conv, [K, N] of a Linear */
  constructor(node: Node, dims: readonly number[]) {
    const [first = 0, second = 0, ...kernel] = dims;
    const isConv = isEdgewise(node, 'Conv');
    const width = isConv ? second * product(kernel) : first;
    const count = isConv ? readAttributes(node).int('group', 1) : 1;
    this.groups = Array.from({ length: count }, () => new SecondMoments(width));
    this.#node = node;
    this.#kernel = kernel;
    this.#perGroup = second;
  }

  /** Takes in the layer's input, [N, C, …] or […, K]. */
  observe(values: Float32Array, dims: readonly number[]): void {
    if (!isEdgewise(this.#node, 'Conv')) return this.groups[0]?.add(values);
    const [count = 0, ...image] = dims;
    const size = values.length / Math.max(1, count);
    for (let n = 0; n < count; n++) this.#observeImage(values.subarray(n * size, (n + 1) * size), image);
  }

  #observeImage(image: Float32Array, [, ...extents]: readonly number[]): void {
    const { index, positions } = this.#windowsOf(extents);
    const cells = index.length / positions;
    const area = product(extents);
    const width = this.#perGroup * cells;
    const count = Math.min(positions, Math.max(FEWEST_PATCHES, Math.ceil(width / NUMBERS_PER_PATCH)));
    const shift = (this.#images++ * GOLDEN_RATIO) % 1;
    const rows = new Float32Array(count * width);
    for (const [group, moments] of this.groups.entries()) {
      for (let patch = 0; patch < count; patch++) {
        const position = Math.floor(((patch + shift) * positions) / count);
        for (let i = 0; i < width; i++) {
          const at = index[(i % cells) * positions + position]!;
          const channel = group * this.#perGroup + Math.floor(i / cells);
          // Below 0: padding.
          rows[patch * width + i] = at < 0 ? 0 : image[channel * area + at]!;
        }
      }
      moments.add(rows);
    }
  }

  #windowsOf(extents: readonly number[]): Windows {
    if (this.#windows?.extents.join() === extents.join()) return this.#windows;
    const rule = readWindowRule(readAttributes(this.#node), this.#kernel);
    const out = windowDims(rule, extents) as number[];
    const index = windowIndex(rule, extents, out, windowPads(rule, extents, out));
    return (this.#windows = { extents, index, positions: product(out) });
  }
}

/** Where the cells of each position read, from `windowIndex`. */
interface Windows {
  readonly extents: readonly number[];
  readonly index: Int32Array;
  readonly positions: number;
}

function product(numbers: readonly number[]): number {
  return numbers.reduce((result, each) => result * each, 1);
}
