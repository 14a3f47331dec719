import type { Node } from '../../../ir/index.ts';
import type { ConvConstants } from '../weights/constant-store.ts';
import { joinArrays } from '../weights/join-arrays.ts';
import {
  int8PanelBytes,
  kernelMatrix,
  packDepthwiseWeights,
  packInt8,
  pairFormOf,
  ROUNDABLE,
  type ByteGrid,
  type PairForm,
} from '../kernels/index.ts';
import { refuse, type LoweringContext } from './lowering-context.ts';
import { roundUp } from '../program/value.ts';

// What quantized convolutions and matrix products read, made of their nodes' constants.

const PANEL = 8;

/** Where a node has its constants; scales and zero points follow their values. */
interface Slots {
  readonly weight: number;
  readonly bias: number;
  readonly output: number;
}

const CONV_SLOTS: Slots = { weight: 3, output: 6, bias: 8 };

/** The kernel of each group as a matrix over a patch, whose taps are `stride` bytes apart. */
export function convConstants(
  context: LoweringContext,
  node: Node,
  input: ByteGrid,
  { groups, stride, isWinograd }: { groups: number; stride: number; isWinograd: boolean },
): ConvConstants {
  const [all = 0, channels = 0, ...kernel] = context.constants.dims(node.inputs[CONV_SLOTS.weight]!);
  const taps = kernel.reduce((product, extent) => product * extent, 1);
  const weights = convWeights(context, node);
  const n = all / groups;
  const size = weights.length / groups;
  const k = taps * stride;
  const matrices = Array.from({ length: groups }, (_, group) =>
    kernelMatrix(weights.subarray(group * size, (group + 1) * size), { filters: n, channels, taps, stride }),
  );
  // Tiles take the place of pair sums.
  const pairs = isWinograd ? 'none' : pairFormOf(joinArrays(matrices), n);
  const parts = matrices.map((matrix, group) =>
    matrixConstants(context, node, input, { matrix, pairs, k, n, first: group * n, slots: CONV_SLOTS }),
  );
  return {
    pairs,
    panels: joinArrays(parts.map(({ panels }) => panels)),
    pairFlags: pairs === 'fused' ? joinArrays(parts.map(({ pairFlags }) => pairFlags!)) : undefined,
    bias: joinArrays(parts.map(({ bias }) => bias)),
    columnSums: joinArrays(parts.map(({ columnSums }) => columnSums)),
    multiplier: joinArrays(parts.map(({ multiplier }) => multiplier)),
    isRoundable: parts.every(({ isRoundable }) => isRoundable),
  };
}

interface MatrixShape {
  readonly matrix: Int8Array;
  readonly pairs: PairForm;
  readonly k: number;
  readonly n: number;
  /** The first of the node's channels. */
  readonly first: number;
  readonly slots: Slots;
}

export function matrixConstants(
  context: LoweringContext,
  node: Node,
  input: ByteGrid,
  { matrix, pairs, k, n, first, slots }: MatrixShape,
): ConvConstants {
  const panels = new Int8Array(int8PanelBytes(k, n));
  const { columnSums: sums, pairFlags } = packInt8(matrix, k, n, panels);
  return {
    pairs,
    panels,
    pairFlags: pairs === 'fused' ? pairFlags : undefined,
    ...channelConstants(context, node, input, { sums, k, n, first, slots }),
  };
}

export function depthwiseConstants(
  context: LoweringContext,
  node: Node,
  input: ByteGrid,
  taps: number,
): ConvConstants {
  const weights = convWeights(context, node);
  const channels = weights.length / taps;
  const sums = new Int32Array(roundUp(channels, PANEL));
  weights.forEach((weight, index) => {
    sums[Math.floor(index / taps)]! += weight;
  });
  return {
    pairs: 'none',
    panels: packDepthwiseWeights(weights, channels, taps),
    pairFlags: undefined,
    ...channelConstants(context, node, input, { sums, k: taps, n: channels, first: 0, slots: CONV_SLOTS }),
  };
}

function channelConstants(
  context: LoweringContext,
  node: Node,
  input: ByteGrid,
  { sums, k, n, first, slots }: Omit<MatrixShape, 'matrix' | 'pairs'> & { sums: Int32Array },
): Pick<ConvConstants, 'bias' | 'columnSums' | 'multiplier' | 'isRoundable'> {
  const { constants } = context;
  const bias = node.inputs[slots.bias] ? constants.numbers(node.inputs[slots.bias]!) : [];
  const scales = constants.numbers(node.inputs[slots.weight + 1]!);
  const outputScale = node.inputs[slots.output] ? constants.scalar(node.inputs[slots.output]!) : 1;
  const { fround } = Math;
  const multiplier = new Float32Array(sums.length);
  for (let filter = 0; filter < n; filter++) {
    const scale = scales.length === 1 ? scales[0]! : scales[first + filter]!;
    multiplier[filter] = fround(fround(input.scale * scale) / outputScale);
  }
  const folded = sums.map(
    (sum, filter) => (filter < n ? (bias[first + filter] ?? 0) : 0) - input.zeroPoint * sum,
  );
  return {
    bias: folded,
    columnSums: sums,
    multiplier,
    isRoundable: multiplier.every(
      (factor, filter) => (LARGEST_PRODUCT * k + Math.abs(folded[filter]!)) * factor < ROUNDABLE,
    ),
  };
}

/** Of a byte and a weight. */
const LARGEST_PRODUCT = 255 * 128;

/** A convolution's weights [filters][channels per group][…kernel]. */
export function convWeights(context: LoweringContext, node: Node): Int8Array {
  return weightsOf(context, node, CONV_SLOTS);
}

/** Weights without a zero point: int8 with 0, or uint8 with one zero point where the differences from it fit. */
export function weightsOf({ constants }: LoweringContext, node: Node, { weight }: Slots): Int8Array {
  const [name = '', , zeroName = ''] = node.inputs.slice(weight);
  const [zero = 0, ...more] = zeroName === '' ? [] : constants.numbers(zeroName);
  const weights = constants.int8(name);
  if (weights && [zero, ...more].every((value) => value === 0)) return weights;
  const differences = constants.numbers(name).map((value) => value - zero);
  const doFit =
    more.every((value) => value === zero) && differences.every((value) => value >= -128 && value <= 127);
  if (!doFit) throw refuse(node, 'its weights less their zero point do not fit into int8');
  return Int8Array.from(differences);
}

/** Scale and zero point in slots `slot` and `slot + 1`. */
export function gridOf(context: LoweringContext, node: Node, slot: number): ByteGrid {
  const { constants } = context;
  const [scale = '', zero = ''] = node.inputs.slice(slot);
  const dtype = zero === '' ? 'uint8' : constants.tensor(zero).dtype;
  if (dtype !== 'uint8') throw refuse(node, `values of ${dtype} are not supported, only uint8`);
  return { scale: constants.scalar(scale), zeroPoint: zero === '' ? 0 : constants.scalar(zero) };
}
