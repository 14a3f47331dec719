import { cloneModel, elementCount, typedData, type Model, type Node } from '../../ir/index.ts';
import { inferTypes, readAttributes, readWindowRule, windowIndex, windowPads } from '../../ops/index.ts';
import { GraphIndex, type GraphView } from '../../rewrite/index.ts';
import { isStandard } from '../../transforms/edgewise-node.ts';
import { attributes, stringAttribute } from '../../transforms/node-attributes.ts';
import { convWeight } from './conv-chains.ts';
import { convBias } from './edit-conv.ts';
import { NormalEquations } from '../least-squares/normal-equations.ts';

/** Places per turn of a sequence that never comes near the same place twice in a row. */
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;

/**
 * What a convolution reads, patch by patch (im2col), and what it shall make of it, at some positions of each sample's output. It shall
 * make what the float model's convolution made before its activation; where its output is added to another value, the sum shall be the
 * float model's.
 */
export class ConvSums {
  readonly equations: NormalEquations;
  readonly #conv: PatchedConv;
  readonly #row: Float32Array;
  readonly #target: Float32Array;
  readonly #sum: Float64Array;
  #squares = 0;
  #samples = 0;
  #seen = 0;

  constructor(conv: PatchedConv) {
    this.#conv = conv;
    this.equations = new NormalEquations(conv.inputs + 1, conv.outputs);
    this.#row = new Float32Array(conv.inputs + 1).fill(1);
    this.#target = new Float32Array(conv.outputs);
    this.#sum = new Float64Array(conv.outputs);
  }

  /**
   * Takes in `count` positions of a sample.
   * @param wanted the float model's `PatchedConv.made`
   * @param found the values `PatchedConv.read` of the model that is fitted
   */
  add(wanted: readonly Float32Array[], found: readonly Float32Array[], count: number): void {
    this.#samples++;
    for (const position of this.#conv.pickPositions(count, this.#seen))
      this.#addPosition(wanted, found, position);
  }

  /** Positions of the samples' outputs, those between the ones looked at too: they show much the same. */
  get shown(): number {
    return this.#samples * this.#conv.positions;
  }

  /** Squared deviation of the float model's outputs from their means, as summed up in the equations. */
  get variance(): number {
    const means = this.#sum.reduce((total, sum) => total + sum ** 2 / this.#seen, 0);
    return this.#squares - means;
  }

  #addPosition(
    [wantedMap, wantedSkip]: readonly Float32Array[],
    [foundMap, foundSkip]: readonly Float32Array[],
    position: number,
  ): void {
    this.#conv.readPatch(foundMap!, position, this.#row);
    for (let i = 0; i < this.#target.length; i++) {
      const at = i * this.#conv.positions + position;
      const output = wantedMap![at]! + (wantedSkip?.[at] ?? 0);
      this.#sum[i]! += output;
      this.#squares += output ** 2;
      this.#target[i] = output - (foundSkip?.[at] ?? 0);
    }
    this.equations.add(this.#row, this.#target, 1);
    this.#seen++;
  }
}

/** A convolution of one group, or with one filter for each channel, position by position. */
export class PatchedConv {
  /** What it reads, and what its output is added to, if anything. */
  readonly read: readonly string[];
  /** Its output before the activation in `withSums`, and what that is added to, if anything. */
  readonly made: readonly string[];
  /** Sums that the activation does not cut off. */
  readonly limits: readonly [least: number, most: number];
  /** Numbers in a filter's patch: channel by channel. */
  readonly inputs: number;
  readonly outputs: number;
  readonly positions: number;
  /** [M, inputs], [M]. */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  /** Numbers of the kernel. */
  readonly area: number;
  /** Numbers of a channel of its input. */
  readonly #extent: number;
  readonly #places: Int32Array;

  /** The convolution that makes `output`. */
  constructor(model: Model, output: string) {
    const index = new GraphIndex(model.graph);
    const node = index.producer(output)!;
    const weight = convWeight(node, index)!;
    const [filters = 0, channels = 0, ...kernel] = weight.dims;
    const { types } = inferTypes(model);
    const [from, to] = [node.inputs[0]!, output].map((value) => types.get(value)!.shape as number[]);
    const [extents, out] = [from!.slice(2), to!.slice(2)];
    const skip = skipOf(node, index, (value) => types.get(value)?.shape?.join()) ?? [];
    this.read = [node.inputs[0]!, ...skip];
    this.made = [sumOf(node), ...skip];
    this.limits = limitsOf(node);
    this.area = elementCount(kernel);
    this.inputs = channels * this.area;
    this.outputs = filters;
    this.positions = elementCount(out);
    this.weight = typedData(weight);
    this.bias = convBias(node, index) ?? new Float32Array(filters);
    this.#extent = elementCount(extents);
    const rule = readWindowRule(readAttributes(node), kernel);
    this.#places = windowIndex(rule, extents, out, windowPads(rule, extents, out));
  }

  /** Some positions of the output, different ones each time: `seen` counts those of earlier times. */
  pickPositions(count: number, seen: number): number[] {
    const { positions } = this;
    if (count >= positions) return Array.from({ length: positions }, (_, position) => position);
    return Array.from({ length: count }, (_, i) => Math.floor((((seen + i) * GOLDEN_RATIO) % 1) * positions));
  }

  /** The patch of a map [1,C,…] behind a position of the output, from a channel on. */
  readPatch(map: Float32Array, position: number, patch: Float32Array, from = 0): void {
    const places = this.#places;
    for (let i = 0, channel = from * this.#extent; i < this.inputs; channel += this.#extent)
      for (let cell = position; cell < places.length; cell += this.positions) {
        const place = places[cell]!;
        patch[i++] = place < 0 ? 0 : map[channel + place]!;
      }
  }
}

/** A copy of the model that also hands over what these convolutions make before their activations. */
export function withSums(model: Model, outputs: readonly string[]): Model {
  const copy = cloneModel(model);
  const index = new GraphIndex(copy.graph);
  for (const node of outputs.map((output) => index.producer(output)!)) {
    const [output = ''] = node.outputs;
    const sum = sumOf(node);
    if (sum === output) continue;
    const plain = new Map([...node.attributes, ...attributes({ activation: 'none' })]);
    copy.graph.nodes.push({ ...node, outputs: [sum], attributes: plain });
  }
  return copy;
}

/**
 * What a convolution shall make, for an activation that cuts off: where the float model's sum is cut off, one that is cut off too is as good as it is.
 * @param wanted sums of the float model
 * @param made sums of the convolution as it is
 */
export function forgiveCut(
  wanted: Float32Array,
  made: Float32Array,
  [least, most]: PatchedConv['limits'],
): Float32Array {
  return wanted.map((value, at) => {
    if (value <= least) return Math.min(made[at]!, least);
    return value >= most ? Math.max(made[at]!, most) : value;
  });
}

function limitsOf(node: Node): PatchedConv['limits'] {
  const activation = stringAttribute(node, 'activation', 'none');
  if (activation === 'relu') return [0, Infinity];
  if (activation !== 'clip') return [-Infinity, Infinity];
  const clip = readAttributes(node);
  return [clip.float('min'), clip.float('max')];
}

function sumOf(node: Node): string {
  const [output = ''] = node.outputs;
  return stringAttribute(node, 'activation', 'none') === 'none' ? output : `${output}.sum`;
}

/** What is added to a convolution's output, when nothing else reads that. */
function skipOf(
  node: Node,
  index: GraphView,
  shapeOf: (value: string) => string | undefined,
): [string] | undefined {
  const [output = ''] = node.outputs;
  const [reader] = index.consumers(output);
  const isResidual =
    stringAttribute(node, 'activation', 'none') === 'none' &&
    index.useCount(output) === 1 &&
    isStandard(reader, 'Add');
  const skip = isResidual ? reader.inputs.find((value) => value !== output) : undefined;
  const isMap = skip !== undefined && index.producer(skip) !== undefined && shapeOf(skip) === shapeOf(output);
  return isMap && index.constant(skip) === undefined ? [skip] : undefined;
}
