import { isFloat32, typedData } from '../ir/index.ts';
import type { GraphIndex } from '../rewrite/index.ts';
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
/** A range that reaches less far than this share of what was seen is one of other data. */
const LEAST_COVER = 0.5;
/** Levels per standard deviation below which a range is one of other data. */
const LEAST_LEVELS = 2;

/** The likely cause, most certain first. */
export function explainBreak(broken: Break): Cause {
  const where =
    broken.layer === undefined ? `the input '${broken.value}'` : `${broken.layer} ('${broken.value}')`;
  const { message, hint } = weightCause(broken) ?? rangeCause(broken) ?? noiseCause(broken);
  return { message: `${where} ${message}`, hint };
}

function weightCause({ float, candidate, value, pair }: Break): Cause | undefined {
  const wanted = float.constant(float.producer(value)?.inputs[1] ?? '');
  const found = weightBehind(candidate, pair.source);
  if (wanted === undefined || !isFloat32(wanted) || found === undefined) return undefined;
  const hint =
    'quantize the float model again; the weights were changed afterwards or belong to another layer';
  if (found.every((weight) => weight === 0)) return { message: 'has weights that are all zero', hint };
  const expected = typedData(wanted);
  let [signal, noise] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    signal += expected[i]! ** 2;
    noise += (expected[i]! - (found[i] ?? NaN)) ** 2;
  }
  if (10 * Math.log10(signal / noise) >= LEAST_WEIGHT_DB) return undefined;
  return { message: "has weights that are not the float layer's", hint };
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
