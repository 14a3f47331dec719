import { elementCount, typedData, type Model, type Node } from '../ir/index.ts';
import { inferTypes, readAttributes, readWindowRule, windowIndex, windowPads } from '../ops/index.ts';
import { GraphIndex, type GraphView } from '../rewrite/index.ts';
import { isStandard } from '../transforms/edgewise-node.ts';
import { stringAttribute } from '../transforms/node-attributes.ts';
import { convWeight } from './conv-chains.ts';
import { convBias } from './edit-conv.ts';
import { NormalEquations } from './normal-equations.ts';

/** Places per turn of a sequence that never comes near the same place twice in a row. */
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;

/**
 * What a convolution reads, patch by patch (im2col), and what it shall make of it, at some positions of each sample's output. It shall
 * make what the float model's convolution made before its activation; where its output is added to another value, the sum shall be the
 * float model's.
 */
export class ConvSums {
  readonly equations: NormalEquations;
  readonly #float: PatchedConv;
  readonly #own: PatchedConv;
  readonly #row: Float64Array;
  readonly #target: Float64Array;
  readonly #sum: Float64Array;
  #squares = 0;
  #seen = 0;

  constructor(float: PatchedConv, own: PatchedConv) {
    this.#float = float;
    this.#own = own;
    this.equations = new NormalEquations(own.inputs + 1, own.outputs);
    this.#row = new Float64Array(own.inputs + 1).fill(1);
    this.#target = new Float64Array(own.outputs);
    this.#sum = new Float64Array(own.outputs);
  }

  /** Takes in `count` positions of a sample; the values are those that `PatchedConv.values` names. */
  add(wanted: readonly Float32Array[], found: readonly Float32Array[], count: number): void {
    const { positions } = this.#own;
    for (let i = 0; i < Math.min(count, positions); i++) {
      const place = count < positions ? (this.#seen * GOLDEN_RATIO) % 1 : i / positions;
      this.#addPosition(wanted, found, Math.floor(place * positions));
    }
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
    this.#float.apply(wantedMap!, position, this.#target);
    this.#own.read(foundMap!, position, this.#row);
    for (let i = 0; i < this.#target.length; i++) {
      const at = i * this.#own.positions + position;
      const output = this.#target[i]! + (wantedSkip?.[at] ?? 0);
      this.#sum[i]! += output;
      this.#squares += output ** 2;
      this.#target[i] = output - (foundSkip?.[at] ?? 0);
    }
    this.equations.add(this.#row, this.#target, 1);
    this.#seen++;
  }
}

/** A convolution of one group, position by position. */
export class PatchedConv {
  /** What it reads, and what its output is added to, if anything. */
  readonly values: readonly string[];
  /** Numbers in a patch: channel by channel. */
  readonly inputs: number;
  readonly outputs: number;
  readonly positions: number;
  /** [M, inputs], [M]. */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  /** Numbers of the kernel. */
  readonly area: number;
  readonly #area: number;
  readonly #places: Int32Array;
  readonly #patch: Float64Array;

  /** The convolution that makes `output`. */
  constructor(model: Model, output: string) {
    const index = new GraphIndex(model.graph);
    const node = index.producer(output)!;
    const weight = convWeight(node, index)!;
    const [filters = 0, channels = 0, ...kernel] = weight.dims;
    const { types } = inferTypes(model);
    const [from, to] = [node.inputs[0]!, output].map((value) => types.get(value)!.shape as number[]);
    const [extents, out] = [from!.slice(2), to!.slice(2)];
    const skip = skipOf(node, index, (value) => types.get(value)?.shape?.join());
    this.values = [node.inputs[0]!, ...(skip === undefined ? [] : [skip])];
    this.area = elementCount(kernel);
    this.inputs = channels * this.area;
    this.outputs = filters;
    this.positions = elementCount(out);
    this.weight = typedData(weight);
    this.bias = convBias(node, index) ?? new Float32Array(filters);
    this.#area = elementCount(extents);
    const rule = readWindowRule(readAttributes(node), kernel);
    this.#places = windowIndex(rule, extents, out, windowPads(rule, extents, out));
    this.#patch = new Float64Array(this.inputs);
  }

  /** The patch of a map [1,C,…] behind a position of the output. */
  read(map: Float32Array, position: number, patch: Float64Array): void {
    for (let i = 0; i < this.inputs; i++) {
      const place = this.#places[(i % this.area) * this.positions + position]!;
      patch[i] = place < 0 ? 0 : map[Math.floor(i / this.area) * this.#area + place]!;
    }
  }

  /** The output [M] at a position, before the activation. */
  apply(map: Float32Array, position: number, output: Float64Array): void {
    this.read(map, position, this.#patch);
    for (let filter = 0; filter < this.outputs; filter++) {
      let sum = this.bias[filter]!;
      for (let i = 0; i < this.inputs; i++) sum += this.weight[filter * this.inputs + i]! * this.#patch[i]!;
      output[filter] = sum;
    }
  }
}

/** What is added to a convolution's output, when nothing else reads that. */
function skipOf(
  node: Node,
  index: GraphView,
  shapeOf: (value: string) => string | undefined,
): string | undefined {
  const [output = ''] = node.outputs;
  const [reader] = index.consumers(output);
  const isResidual =
    stringAttribute(node, 'activation', 'none') === 'none' &&
    index.useCount(output) === 1 &&
    isStandard(reader, 'Add');
  const skip = isResidual ? reader.inputs.find((value) => value !== output) : undefined;
  const isMap = skip !== undefined && index.producer(skip) !== undefined && shapeOf(skip) === shapeOf(output);
  return isMap && index.constant(skip) === undefined ? skip : undefined;
}
