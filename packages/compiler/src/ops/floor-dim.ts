import {
  addDims,
  dimSymbols,
  divDims,
  evaluateDim,
  parseDim,
  subDims,
  symbolDim,
  type Dim,
} from '../ir/index.ts';

/**
 * ⌊dim / divisor⌋. What does not divide as a polynomial becomes one opaque symbol whose name says what it is,
 * `floor((height+1)/2)`, so that equal extents stay equal; `bindDim` knows how to compute it.
 */
export function floorDivDim(dim: Dim, divisor: number): Dim {
  if (dim === null) return null;
  if (typeof dim === 'number') return Math.floor(dim / divisor);
  const constant = evaluateDim(dim, new Map(dimSymbols(dim).map((symbol) => [symbol, 0]))) ?? 0;
  const whole = Math.floor(constant / divisor);
  const rest = subDims(dim, whole * divisor);
  const exact = divDims(subDims(rest, constant - whole * divisor), divisor);
  return addDims(exact ?? quotient(rest, divisor), whole);
}

const QUOTIENT = /^floor\(\((.+)\)\/(\d+)\)$/;

/** Names the quotient; ⌊(⌊a/n⌋ + c)/m⌋ is ⌊(a + c·n)/(n·m)⌋, so quotients do not nest where one symbol stands alone. */
function quotient(dim: Dim, divisor: number): Dim {
  const [symbol, ...others] = dimSymbols(dim);
  const [, inner, innerDivisor] = QUOTIENT.exec(symbol ?? '') ?? [];
  if (symbol !== undefined && others.length === 0 && inner !== undefined) {
    const shift = subDims(dim, symbolDim(symbol));
    const n = Number(innerDivisor);
    if (typeof shift === 'number') return floorDivDim(addDims(parseDim(inner), shift * n), n * divisor);
  }
  return symbolDim(`floor((${dim})/${divisor})`);
}

/** ⌈dim / divisor⌉. */
export function ceilDivDim(dim: Dim, divisor: number): Dim {
  return floorDivDim(addDims(dim, divisor - 1), divisor);
}

/** The number that a dim becomes when its symbols get these values, quotients included; null when one is missing. */
export function bindDim(dim: Dim, bindings: ReadonlyMap<string, number>): number | null {
  const missing = dimSymbols(dim).filter((symbol) => !bindings.has(symbol));
  const quotients = missing.flatMap((symbol): [string, number][] => {
    const [, inner, divisor] = QUOTIENT.exec(symbol) ?? [];
    if (inner === undefined || divisor === undefined) return [];
    const value = bindDim(parseDim(inner), bindings);
    return value === null ? [] : [[symbol, Math.floor(value / Number(divisor))]];
  });
  return evaluateDim(dim, new Map([...bindings, ...quotients]));
}
