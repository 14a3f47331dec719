import {
  addDims,
  dimSymbols,
  divDims,
  mulDims,
  subDims,
  substituteDim,
  symbolDim,
  type Dim,
} from '../../ir/index.ts';

/** An integer: a polynomial over dimensions (at least 1 each) and coordinates. */
export type Index = number | string;

/** Coordinate symbols with their extents: a coordinate is at least 0 and below its extent. */
export type Coordinates = ReadonlyMap<string, Index>;

export function add(a: Index, b: Index): Index | undefined {
  return addDims(a, b) ?? undefined;
}

export function subtract(a: Index, b: Index): Index | undefined {
  return subDims(a, b) ?? undefined;
}

export function multiply(a: Index, b: Index): Index | undefined {
  return mulDims(a, b) ?? undefined;
}

/** True when the index is proven to be 0 or more for all values of its symbols; false says only "not proven". */
export function isNonNegative(index: Index, coordinates: Coordinates): boolean {
  if (typeof index === 'number') return index >= 0;
  let lowest: Dim = index;
  for (const symbol of dimSymbols(index)) {
    const extent = coordinates.get(symbol);
    if (extent === undefined) continue;
    const slope = slopeOf(lowest, symbol);
    if (slope === undefined) return false;
    const worst = isNonNegative(slope, coordinates) ? 0 : subDims(extent, 1);
    lowest = substituteDim(lowest, new Map([[symbol, worst]]));
  }
  return isSumOfPositives(lowest);
}

/** Floor division and remainder, when the terms of `index` separate into multiples of the divisor and a small rest. */
export function divide(
  index: Index,
  divisor: Index,
  coordinates: Coordinates,
): { readonly quotient: Index; readonly remainder: Index } | undefined {
  if (divisor === 1) return { quotient: index, remainder: 0 };
  if (typeof index === 'number' && typeof divisor === 'number')
    return { quotient: Math.floor(index / divisor), remainder: index % divisor };
  let quotient: Dim = 0;
  let remainder: Dim = index;
  const moving = dimSymbols(index).filter((symbol) => coordinates.has(symbol));
  for (const symbol of moving) {
    const slope = slopeOf(remainder, symbol);
    if (slope === undefined) return undefined;
    const multiple = divDims(slope, divisor);
    if (multiple === null) continue;
    quotient = addDims(quotient, mulDims(multiple, symbol));
    remainder = subDims(remainder, mulDims(slope, symbol));
  }
  const resting = substituteDim(remainder, new Map(moving.map((symbol) => [symbol, 0])));
  const whole = divDims(resting, divisor);
  if (whole !== null) {
    quotient = addDims(quotient, whole);
    remainder = subDims(remainder, resting);
  }
  if (quotient === null || remainder === null) return undefined;
  const room = subDims(subDims(divisor, 1), remainder);
  if (room === null) return undefined;
  if (!isNonNegative(remainder, coordinates) || !isNonNegative(room, coordinates)) return undefined;
  return { quotient, remainder };
}

/** Row-major position of an element in a tensor of that shape. */
export function flatten(at: readonly Index[], shape: readonly Index[]): Index | undefined {
  let position: Index | undefined = 0;
  for (const [axis, extent] of shape.entries()) {
    const scaled: Index | undefined = position === undefined ? undefined : multiply(position, extent);
    position = scaled === undefined ? undefined : add(scaled, at[axis] ?? 0);
  }
  return position;
}

/** Inverse of `flatten`; undefined when the coordinates do not separate. */
export function unflatten(
  position: Index,
  shape: readonly Index[],
  coordinates: Coordinates,
): Index[] | undefined {
  const at: Index[] = [];
  let rest: Index = position;
  for (let axis = 0; axis < shape.length; axis++) {
    if (shape[axis] === 1) {
      at.push(0);
      continue;
    }
    const stride = shape
      .slice(axis + 1)
      .reduce<Index | undefined>(
        (product, extent) => (product === undefined ? undefined : multiply(product, extent)),
        1,
      );
    const parts = stride === undefined ? undefined : divide(rest, stride, coordinates);
    if (parts === undefined) return undefined;
    at.push(parts.quotient);
    rest = parts.remainder;
  }
  return at;
}

/** The factor of a symbol that occurs linearly; undefined when it does not. */
function slopeOf(index: Dim, symbol: string): Index | undefined {
  const at = (value: number): Dim => substituteDim(index, new Map([[symbol, value]]));
  const slope = subDims(at(1), at(0));
  if (slope === null || subDims(at(2), at(1)) !== slope) return undefined;
  return slope;
}

/** With every symbol s written as s' + 1, s' ≥ 0, no term is negative. */
function isSumOfPositives(index: Dim): boolean {
  if (index === null) return false;
  if (typeof index === 'number') return index >= 0;
  const shifted = substituteDim(
    index,
    new Map(dimSymbols(index).map((symbol) => [symbol, addDims(symbolDim(symbol), 1)])),
  );
  return typeof shifted === 'number' ? shifted >= 0 : shifted !== null && !shifted.includes('-');
}
