import { CompilerError } from '../diagnostics/index.ts';
import { addDims, elementCount, mulDims, type Dim } from '../ir/index.ts';
import type { AttributeReader } from './attributes.ts';
import { ceilDivDim, floorDivDim } from './floor-dim.ts';
import { stridesOf } from './indexing.ts';

/** How a kernel moves over the spatial axes; all lists have one entry per spatial axis. */
export interface WindowRule {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** As in `pads`: all begins, then all ends. Undefined when `auto` decides from the extents. */
  readonly pads: readonly number[];
  readonly auto: 'none' | 'upper' | 'lower';
  readonly ceil: boolean;
}

const AUTO_PADS: Readonly<Record<string, WindowRule['auto']>> = {
  NOTSET: 'none',
  VALID: 'none',
  SAME_UPPER: 'upper',
  SAME_LOWER: 'lower',
};

/** Reads strides, dilations, pads, auto_pad and ceil_mode. */
export function readWindowRule(attributes: AttributeReader, kernel: readonly number[]): WindowRule {
  const ones = kernel.map(() => 1);
  const name = attributes.string('auto_pad', 'NOTSET');
  const auto = AUTO_PADS[name];
  if (auto === undefined)
    throw new CompilerError('invalid-graph', `auto_pad is "${name}", which is unknown.`);
  const rule = {
    kernel,
    strides: attributes.ints('strides') ?? ones,
    dilations: attributes.ints('dilations') ?? ones,
    pads: (name === 'NOTSET' ? attributes.ints('pads') : undefined) ?? [...kernel, ...kernel].map(() => 0),
    auto,
    ceil: attributes.int('ceil_mode', 0) === 1,
  };
  const positive = [rule.kernel, rule.strides, rule.dilations];
  const sound =
    positive.every((list) => list.length === kernel.length && list.every((value) => value > 0)) &&
    rule.pads.length === 2 * kernel.length;
  if (sound) return rule;
  throw new CompilerError(
    'invalid-graph',
    'kernel, strides, dilations and pads do not fit together or are not positive.',
  );
}

/** Every spatial axis needs its kernel extent. */
function checkRank(rule: WindowRule, dims: readonly Dim[]): void {
  if (dims.length === rule.kernel.length) return;
  const text = `A kernel of ${rule.kernel.length} axes does not fit ${dims.length} spatial axes.`;
  throw new CompilerError('invalid-graph', text);
}

function windowSpan(rule: WindowRule, axis: number): number {
  return ((rule.kernel[axis] as number) - 1) * (rule.dilations[axis] as number) + 1;
}

/** Output extents for symbolic input extents. */
export function windowDims(rule: WindowRule, dims: readonly Dim[]): Dim[] {
  checkRank(rule, dims);
  return dims.map((dim, axis) => {
    if (typeof dim === 'number') return windowExtent(rule, axis, dim);
    const stride = rule.strides[axis] as number;
    if (rule.auto !== 'none') return ceilDivDim(dim, stride);
    const [before, after] = [rule.pads[axis] as number, rule.pads[axis + dims.length] as number];
    const steps = addDims(dim, before + after - windowSpan(rule, axis));
    return addDims(rule.ceil ? ceilDivDim(steps, stride) : floorDivDim(steps, stride), 1);
  });
}

function windowExtent(rule: WindowRule, axis: number, dim: number): number {
  const stride = rule.strides[axis] as number;
  if (rule.auto !== 'none') return Math.ceil(dim / stride);
  const [before, after] = [rule.pads[axis] as number, rule.pads[axis + rule.kernel.length] as number];
  const steps = (dim + before + after - windowSpan(rule, axis)) / stride;
  if (!rule.ceil) return Math.floor(steps) + 1;
  const extent = Math.ceil(steps) + 1;
  // A window that would start in the end padding is dropped.
  return (extent - 1) * stride >= dim + before ? extent - 1 : extent;
}

/** Begin and end padding per axis, `auto_pad` resolved. */
export function windowPads(rule: WindowRule, dims: readonly number[], out: readonly number[]): number[] {
  if (rule.auto === 'none') return [...rule.pads];
  const totals = dims.map((dim, axis) =>
    Math.max(0, ((out[axis] as number) - 1) * (rule.strides[axis] as number) + windowSpan(rule, axis) - dim),
  );
  const small = totals.map((total) => Math.floor(total / 2));
  const large = totals.map((total) => Math.ceil(total / 2));
  return rule.auto === 'upper' ? [...small, ...large] : [...large, ...small];
}

/** Position of padding inside the declared pads. */
export const PADDING = -1;
/** Position beyond them, which only a rounded-up extent reaches. */
export const OUTSIDE = -2;

/**
 * Where each kernel cell of each output position reads: `[kernel cells][output positions]` offsets into one channel,
 * `PADDING` or `OUTSIDE`.
 */
export function windowIndex(
  rule: WindowRule,
  dims: readonly number[],
  out: readonly number[],
  pads: readonly number[],
): Int32Array {
  const rank = dims.length;
  const [inStrides, outStrides, cellStrides] = [stridesOf(dims), stridesOf(out), stridesOf(rule.kernel)];
  const [cells, positions] = [elementCount(rule.kernel), elementCount(out)];
  const index = new Int32Array(cells * positions);
  for (let cell = 0; cell < cells; cell++) {
    for (let position = 0; position < positions; position++) {
      let offset = 0;
      for (let axis = 0; axis < rank; axis++) {
        const step = Math.floor(position / (outStrides[axis] as number)) % (out[axis] as number);
        const tap = Math.floor(cell / (cellStrides[axis] as number)) % (rule.kernel[axis] as number);
        const at =
          step * (rule.strides[axis] as number) +
          tap * (rule.dilations[axis] as number) -
          (pads[axis] as number);
        const extent = dims[axis] as number;
        if (at >= 0 && at < extent) {
          if (offset >= 0) offset += at * (inStrides[axis] as number);
        } else {
          const outside = at >= extent + (pads[axis + rank] as number);
          offset = outside ? OUTSIDE : Math.min(offset, offset === OUTSIDE ? OUTSIDE : PADDING);
        }
      }
      index[cell * positions + position] = offset;
    }
  }
  return index;
}

/** Extents of a transposed convolution. */
export function transposedDims(rule: WindowRule, dims: readonly Dim[], extra: readonly number[]): Dim[] {
  checkRank(rule, dims);
  return dims.map((dim, axis) => {
    const stride = rule.strides[axis] as number;
    if (rule.auto !== 'none') return mulDims(dim, stride);
    const padding = (rule.pads[axis] as number) + (rule.pads[axis + dims.length] as number);
    return addDims(mulDims(addDims(dim, -1), stride), (extra[axis] ?? 0) + windowSpan(rule, axis) - padding);
  });
}
