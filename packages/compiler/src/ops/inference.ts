import type { DataType, Dim, Shape, TensorType } from '../ir/index.ts';
import { normalizeAxis } from './indexing.ts';
import type { InferContext } from './op-definition.ts';
import type { PartialValue } from './partial-value.ts';

/** A tensor type, or undefined when the element type is not known. */
export function tensorType(dtype: DataType | undefined, shape: Shape | undefined): TensorType | undefined {
  if (dtype === undefined) return undefined;
  return shape === undefined ? { kind: 'tensor', dtype } : { kind: 'tensor', dtype, shape };
}

export function dtypeOf(context: InferContext, index: number): DataType | undefined {
  return context.types[index]?.dtype;
}

export function shapeOf(context: InferContext, index: number): Shape | undefined {
  return context.types[index]?.shape;
}

/** The element type of the first input that has one. */
export function firstDtype(context: InferContext): DataType | undefined {
  return context.types.find((type) => type !== undefined)?.dtype;
}

/** An output like the first input. */
export function inferSame(context: InferContext): readonly (TensorType | undefined)[] {
  return [context.types[0]];
}

/** numpy broadcasting of shapes; undefined when a rank is unknown, null where two dims may differ. */
export function broadcastShapes(
  context: InferContext,
  shapes: readonly (Shape | undefined)[],
): Shape | undefined {
  if (shapes.some((shape) => shape === undefined)) return undefined;
  const known = shapes as readonly Shape[];
  const rank = Math.max(0, ...known.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, position) =>
    known
      .map((shape) => shape[position - rank + shape.length])
      .reduce<Dim>((dim, other) => (other === undefined ? dim : broadcastDim(context, dim, other)), 1),
  );
}

/**
 * Two dims that broadcast. An extent other than 1 decides, because the other one must be 1 or equal to it. Different
 * expressions are taken to be equal when one of them was computed (`2*n`): models do not broadcast over those. Two
 * plain symbols may differ, so nothing is known unless bounds say that neither is 1.
 */
function broadcastDim(context: InferContext, a: Dim, b: Dim): Dim {
  if (a === b || b === 1) return a;
  if (a === 1) return b;
  if (typeof a === 'number' && typeof b === 'number') {
    context.problem(`the dims ${a} and ${b} do not broadcast`);
    return null;
  }
  if (typeof a === 'number') return a;
  if (typeof b === 'number') return b;
  if (a === null || b === null) return null;
  if (PLAIN_SYMBOL.test(a) && PLAIN_SYMBOL.test(b))
    return isAboveOne(context, a) && isAboveOne(context, b) ? a : null;
  return a.length <= b.length ? a : b;
}

function isAboveOne(context: InferContext, dim: Dim): boolean {
  return (context.bound(dim)?.min ?? 0) > 1;
}

const PLAIN_SYMBOL = /^\w+$/;

/** The numbers in a fully known input of rank 0 or 1; undefined when any element is not a number. */
export function knownNumbers(value: PartialValue | undefined): number[] | undefined {
  if (value === undefined || !value.elements.every((element) => typeof element === 'number'))
    return undefined;
  return value.elements.filter((element) => typeof element === 'number');
}

/** Axes from the attribute (older versions) or from the input at `index`; `none` when neither is present. */
export function inferAxes(context: InferContext, index: number): number[] | 'none' | undefined {
  const attribute = context.attributes.ints('axes');
  if (attribute !== undefined) return attribute;
  if (!context.node.inputs[index]) return 'none';
  return knownNumbers(context.values[index]);
}

/** The numbers of an optional input: undefined when it is omitted, `unknown` when they are not all known. */
export function optionalNumbers(context: InferContext, index: number): number[] | undefined | 'unknown' {
  if (!context.node.inputs[index]) return undefined;
  return knownNumbers(context.values[index]) ?? 'unknown';
}

/** Positions of possibly negative axes; a wrong one is reported and gives undefined. */
export function axisOf(context: InferContext, axis: number, rank: number): number | undefined {
  if (axis >= -rank && axis < rank) return normalizeAxis(axis, rank);
  context.problem(`the axis ${axis} is outside rank ${rank}`);
  return undefined;
}

/** A shape of known rank in which no dim is known. */
export function unknownDims(rank: number): Shape {
  return Array.from({ length: rank }, () => null);
}

/** The shape with one dim replaced. */
export function withDim(shape: Shape, axis: number, dim: Dim): Shape {
  return shape.map((old, position) => (position === axis ? dim : old));
}

/** The dim that two shapes agree on; knowledge of one side wins. */
export function mergeDim(a: Dim | undefined, b: Dim | undefined): Dim {
  if (typeof a === 'number') return a;
  return b ?? a ?? null;
}

/** A bound of an extent: at most `high`, when both are numbers. */
export function minDim(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return Math.min(a, b);
  return a === b ? a : null;
}
