import { byteLengthOf, type DataType } from './data-type.ts';
import { denseTensor, elementCount, type DenseTensor, type TypedArray } from './tensor.ts';

/** How a tensor's content was made, so that its text form can say `random(7)` instead of listing the numbers. */
export interface RandomRecipe {
  readonly seed: number;
  /** Smallest value; floats are uniform in [low, high), integers in [low, high]. */
  readonly low: number;
  readonly high: number;
}

/** Tensors are immutable, so a recipe stays true for as long as the tensor lives. */
const recipes = new WeakMap<DenseTensor, RandomRecipe>();

/** Limits used when none are given: weights of a plausible size, and the small integers that fit every type. */
const DEFAULT_RANGES: Readonly<Partial<Record<DataType, readonly [number, number]>>> = {
  float32: [-1, 1],
  float64: [-1, 1],
  bool: [0, 1],
  int8: [-127, 127],
  uint8: [0, 255],
};
const SMALL_INTEGERS = [0, 9] as const;

type Fill = (index: number, value: number) => void;

/**
 * A tensor of seeded uniform random numbers (mulberry32), the same on every machine; for fixtures and tests.
 * Default range: [-1, 1) for floats, [-127, 127] int8, [0, 255] uint8, [0, 1] bool, [0, 9] other integers.
 * @throws RangeError for element types without numbers (float16, packed and complex types).
 */
export function randomTensor(
  dtype: DenseTensor['dtype'],
  dims: readonly number[],
  seed: number,
  range?: readonly [low: number, high: number],
): DenseTensor {
  const [low, high] = range ?? DEFAULT_RANGES[dtype] ?? SMALL_INTEGERS;
  const count = elementCount(dims);
  const { array, set, integer } = numberArray(dtype, count);
  const next = mulberry32(seed);
  for (let i = 0; i < count; i++) {
    set(i, integer ? low + Math.floor(next() * (high - low + 1)) : low + next() * (high - low));
  }
  const tensor = denseTensor(dtype, dims, array);
  recipes.set(tensor, { seed, low, high });
  return tensor;
}

/** The recipe of a tensor made by `randomTensor`. */
export function randomRecipe(tensor: DenseTensor): RandomRecipe | undefined {
  return recipes.get(tensor);
}

/** Whether a recipe uses the default range of this element type, which the text form leaves out. */
export function hasDefaultRange(dtype: DenseTensor['dtype'], { low, high }: RandomRecipe): boolean {
  const [defaultLow, defaultHigh] = DEFAULT_RANGES[dtype] ?? SMALL_INTEGERS;
  return low === defaultLow && high === defaultHigh;
}

function numberArray(
  dtype: DenseTensor['dtype'],
  count: number,
): { array: TypedArray; set: Fill; integer: boolean } {
  const integers = {
    uint8: Uint8Array,
    int8: Int8Array,
    bool: Uint8Array,
    uint16: Uint16Array,
    int16: Int16Array,
  };
  const words = { uint32: Uint32Array, int32: Int32Array };
  const longs = { int64: BigInt64Array, uint64: BigUint64Array };
  if (dtype === 'float32' || dtype === 'float64') {
    const array = dtype === 'float32' ? new Float32Array(count) : new Float64Array(count);
    return { array, set: (i, value) => void (array[i] = value), integer: false };
  }
  if (dtype in longs) {
    const array = new longs[dtype as keyof typeof longs](count);
    return { array, set: (i, value) => void (array[i] = BigInt(value)), integer: true };
  }
  if (dtype in integers || dtype in words) {
    const array = new { ...integers, ...words }[dtype as keyof typeof integers | keyof typeof words](count);
    return { array, set: (i, value) => void (array[i] = value), integer: true };
  }
  throw new RangeError(`randomTensor: no numbers of type ${dtype} (${byteLengthOf(dtype, count)} bytes)`);
}

function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
