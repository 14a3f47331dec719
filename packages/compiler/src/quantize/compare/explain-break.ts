import { isFloat32, typedData } from '../../ir/index.ts';
import type { GraphIndex } from '../../rewrite/index.ts';
import { isEdgewise } from '../../transforms/edgewise-node.ts';
import type { FollowedValue, ValuePair } from './followed-value.ts';

/** A value that no longer follows the float model's although what it is computed from does. */
export interface Break extends FollowedValue {
  readonly float: GraphIndex;
  readonly candidate: GraphIndex;
  readonly pair: ValuePair;
  /** Signal-to-noise ratio of the worst input, dB. */
  readonly inputDb: number;
}

export interface Cause {
  readonly message: string;
  readonly hint: string;
}

/** Weights that are the float layer's, rounded, are far above it; others are around 0 dB. */
const LEAST_WEIGHT_DB = 12;
/** More filters than this share below it, and the scale is too coarse for them. */
const LOST_FILTERS = 0.1;
/** A range that reaches less far than this share of what was seen is one of other data. */
const LEAST_COVER = 0.5;
/** Levels per standard deviation below which a range is one of other data. */
const LEAST_LEVELS = 2;

/** What is wrong with the weights or the range of a value; undefined when both look right. */
export function findCause(broken: Break): Cause | undefined {
  const cause = weightCause(broken) ?? rangeCause(broken);
  return cause && located(broken, cause);
}

/** Of a value that shows no other cause. */
export function explainNoise(broken: Break): Cause {
  return located(broken, noiseCause(broken));
}

function located({ layer, value }: Break, { message, hint }: Cause): Cause {
  const where = layer === undefined ? `the input '${value}'` : `${layer} ('${value}')`;
  return { message: `${where} ${message}`, hint };
}

function weightCause({ float, candidate, value, pair }: Break): Cause | undefined {
  const wanted = float.constant(float.producer(value)?.inputs[1] ?? '');
  const found = weightBehind(candidate, pair.source);
  const layer = float.producer(value);
  if (wanted === undefined || !isFloat32(wanted) || found === undefined || layer === undefined)
    return undefined;
  const hint =
    'quantize the float model again; the weights were changed afterwards or belong to another layer';
  if (found.every((weight) => weight === 0)) return { message: 'has weights that are all zero', hint };
  const isConv = isEdgewise(layer, 'Conv');
  const [first = 0, second = 0] = wanted.dims;
  const filters = weightQuality(typedData(wanted), found, isConv ? first : second, isConv);
  if (!(filters.wholeDb >= LEAST_WEIGHT_DB))
    return { message: "has weights that are not the float layer's", hint };
  const lost = filters.eachDb.filter((db) => db < LEAST_WEIGHT_DB).length;
  if (lost <= LOST_FILTERS * filters.eachDb.length) return undefined;
  return {
    message: `has a scale that is too coarse for ${lost} of its ${filters.eachDb.length} filters: they keep less than ${LEAST_WEIGHT_DB} dB of their weights`,
    hint: 'quantize with one scale per output channel',
  };
}

/** Signal-to-noise ratio of weights and of each filter: the rows of a Conv's weight, the columns of a Linear's. */
function weightQuality(
  expected: Float32Array,
  found: Float32Array,
  count: number,
  areRows: boolean,
): { readonly wholeDb: number; readonly eachDb: readonly number[] } {
  const [signals, noises] = [new Float64Array(count), new Float64Array(count)];
  const length = expected.length / count;
  for (let i = 0; i < expected.length; i++) {
    const filter = areRows ? Math.floor(i / length) : i % count;
    signals[filter]! += expected[i]! ** 2;
    noises[filter]! += (expected[i]! - (found[i] ?? NaN)) ** 2;
  }
  const decibels = (signal: number, noise: number): number =>
    noise === 0 ? Infinity : 10 * Math.log10(signal / noise);
  const sum = (values: Float64Array): number => values.reduce((total, each) => total + each, 0);
  return {
    wholeDb: decibels(sum(signals), sum(noises)),
    eachDb: Array.from(signals, (signal, filter) => decibels(signal, noises[filter]!)),
  };
}

/** Weights of the quantized or float layer that makes a value, as real numbers in the float layer's layout. */
function weightBehind(graph: GraphIndex, value: string): Float32Array | undefined {
  const node = graph.producer(value);
  if (node === undefined) return undefined;
  const isQuantized = node.opType === 'QLinearConv' || node.opType === 'QGemm';
  const weight = graph.constant(node.inputs[isQuantized ? 3 : 1] ?? '');
  if (!isQuantized) return weight && isFloat32(weight) ? typedData(weight) : undefined;
  const scale = graph.constant(node.inputs[4] ?? '');
  if (weight?.kind !== 'dense' || weight.dtype !== 'int8' || scale === undefined || !isFloat32(scale))
    return undefined;
  const [scales, integers] = [typedData(scale), typedData({ ...weight, dtype: 'int8' })];
  const isConv = node.opType === 'QLinearConv';
  const inner = isConv ? integers.length / (weight.dims[0] ?? 1) : 1;
  return Float32Array.from(integers, (q, i) => q * scales[Math.floor(i / inner) % scales.length]!);
}

function rangeCause({ pair: { grid, tally } }: Break): Cause | undefined {
  if (grid === undefined) return undefined;
  const [low, high] = [-grid.zero * grid.scale, (255 - grid.zero) * grid.scale];
  const span = `${short(low)} … ${short(high)}`;
  const seen = `${short(tally.min)} … ${short(tally.max)}`;
  const hint = 'calibrate on inputs like these, prepared as the model wants them';
  if (high < tally.max * LEAST_COVER || low > tally.min * LEAST_COVER)
    return {
      message: `has a range of ${span} where the float model reaches ${seen}: it was calibrated on other data`,
      hint,
    };
  if (Math.sqrt(tally.variance) < LEAST_LEVELS * grid.scale)
    return {
      message: `has a range of ${span} of which the float model uses ${seen}: it was calibrated on other data or on an outlier`,
      hint,
    };
  return undefined;
}

function noiseCause({ inputDb, signalToNoiseDb }: Break): Cause {
  const hint = 'keep it and the layer before it float (keepFloat, or a lower noiseLimit)';
  if (Number.isNaN(signalToNoiseDb))
    return { message: 'gives numbers that are not finite', hint: 'look at its scales' };
  const fall = `${short(inputDb)} to ${short(signalToNoiseDb)} dB`;
  return {
    message: `takes the signal-to-noise ratio from ${fall}: 8 bits of its input are too coarse`,
    hint,
  };
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
