import { add, isNonNegative, multiply, subtract, type Coordinates, type Index } from './index-arithmetic.ts';

/**
 * One element of a tensor as a formula.
 * `scalar`: a number, or an integer polynomial over dimensions and coordinates. `read`: the element of a value that is
 * not looked into. `apply`: an element-wise function of other elements; bools are 0 and 1.
 */
export type Element =
  | { readonly kind: 'scalar'; readonly value: Index }
  | { readonly kind: 'read'; readonly value: string; readonly at: readonly Index[] }
  | { readonly kind: 'apply'; readonly function: ElementFunction; readonly arguments: readonly Element[] };

export type ReadElement = Extract<Element, { kind: 'read' }>;
/** An ONNX operator name, or DivInteger for integers, ToBool and ToInteger for casts; `isElementFunction` tells which there are. */
export type ElementFunction = string;

/** Element-wise operators by ONNX name, in double precision. */
const FUNCTIONS: Readonly<Record<ElementFunction, (...values: number[]) => number>> = {
  Abs: Math.abs,
  Add: (a = NaN, b = NaN) => a + b,
  And: (a = NaN, b = NaN) => (a && b ? 1 : 0),
  Div: (a = NaN, b = NaN) => a / b,
  DivInteger: (a = NaN, b = NaN) => Math.trunc(a / b),
  Equal: (a = NaN, b = NaN) => (a === b ? 1 : 0),
  Erf: erf,
  Exp: Math.exp,
  Greater: (a = NaN, b = NaN) => (a > b ? 1 : 0),
  GreaterOrEqual: (a = NaN, b = NaN) => (a >= b ? 1 : 0),
  IsNaN: (a = NaN) => (Number.isNaN(a) ? 1 : 0),
  Less: (a = NaN, b = NaN) => (a < b ? 1 : 0),
  LessOrEqual: (a = NaN, b = NaN) => (a <= b ? 1 : 0),
  Max: Math.max,
  Min: Math.min,
  Mul: (a = NaN, b = NaN) => a * b,
  Neg: (a = NaN) => -a,
  Not: (a = NaN) => (a ? 0 : 1),
  Or: (a = NaN, b = NaN) => (a || b ? 1 : 0),
  Pow: (a = NaN, b = NaN) => a ** b,
  Reciprocal: (a = NaN) => 1 / a,
  Sigmoid: (a = NaN) => 1 / (1 + Math.exp(-a)),
  Sqrt: Math.sqrt,
  Sub: (a = NaN, b = NaN) => a - b,
  Tanh: Math.tanh,
  ToBool: (a = NaN) => (a === 0 ? 0 : 1),
  ToInteger: Math.trunc,
  Where: (condition = NaN, a = NaN, b = NaN) => (condition ? a : b),
};

export function isElementFunction(name: string): boolean {
  return Object.hasOwn(FUNCTIONS, name);
}

export function scalar(value: Index): Element {
  return { kind: 'scalar', value };
}

/** Applies a function and simplifies what is known already. */
export function applyFunction(
  name: ElementFunction,
  values: readonly Element[],
  coordinates: Coordinates,
): Element {
  const numbers = values.map(numberOf);
  if (numbers.every((value) => value !== undefined)) return scalar(callFunction(name, numbers));
  const [a, b, c] = values;
  if (
    name === 'Where' &&
    a?.kind === 'scalar' &&
    typeof a.value === 'number' &&
    b !== undefined &&
    c !== undefined
  )
    return a.value === 0 ? c : b;
  if (name === 'And' || name === 'Or') {
    const neutral = name === 'And' ? 1 : 0;
    for (const [known, other] of [
      [a, b],
      [b, a],
    ] as const)
      if (known?.kind === 'scalar' && typeof known.value === 'number' && other !== undefined)
        return (known.value === 0) === (neutral === 0) ? other : known;
  }
  if (name === 'ToInteger' && a?.kind === 'scalar') return a;
  if (a?.kind === 'scalar' && b?.kind === 'scalar' && values.length === 2) {
    const result = combineIndices(name, a.value, b.value, coordinates);
    if (result !== undefined) return scalar(result);
  }
  return { kind: 'apply', function: name, arguments: values };
}

/** Every `read` in the formula. */
export function readsOf(element: Element): ReadElement[] {
  if (element.kind === 'read') return [element];
  return element.kind === 'apply' ? element.arguments.flatMap(readsOf) : [];
}

/** Every number and integer expression in the formula, those that say where it reads included. */
export function indicesOf(element: Element): Index[] {
  if (element.kind === 'scalar') return [element.value];
  return element.kind === 'read' ? [...element.at] : element.arguments.flatMap(indicesOf);
}

/** The formula's number when each read has this value; NaN where an index is not a number. */
export function evaluateElement(element: Element, valueOf: (read: ReadElement) => number): number {
  if (element.kind === 'read') return valueOf(element);
  if (element.kind === 'scalar') return Number(element.value);
  return callFunction(
    element.function,
    element.arguments.map((argument) => evaluateElement(argument, valueOf)),
  );
}

/** erf to 1.2e-7 (Numerical Recipes, `erfcc`): enough to recognise a function, not to compute with. */
export function erf(x: number): number {
  const t = 1 / (1 + Math.abs(x) / 2);
  const coefficients = [
    0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196,
    1.00002368, -1.26551223,
  ];
  const polynomial = coefficients.reduce((sum, coefficient) => sum * t + coefficient, 0);
  const tail = t * Math.exp(-x * x + polynomial);
  return x >= 0 ? 1 - tail : tail - 1;
}

function callFunction(name: ElementFunction, values: readonly number[]): number {
  const implementation = FUNCTIONS[name];
  if (implementation === undefined) throw new TypeError(`${name} is not an element-wise function`);
  return implementation(...values);
}

function numberOf(element: Element): number | undefined {
  return element.kind === 'scalar' && typeof element.value === 'number' ? element.value : undefined;
}

/** Arithmetic and decidable comparisons of integer polynomials. */
function combineIndices(
  name: ElementFunction,
  a: Index,
  b: Index,
  coordinates: Coordinates,
): Index | undefined {
  if (![a, b].every((index) => typeof index === 'string' || Number.isInteger(index))) return undefined;
  const atLeast = (x: Index, y: Index, margin: number): boolean => {
    const difference = subtract(x, y);
    const room = difference === undefined ? undefined : subtract(difference, margin);
    return room !== undefined && isNonNegative(room, coordinates);
  };
  const decide = (whenTrue: boolean, whenFalse: boolean): Index | undefined =>
    whenTrue ? 1 : whenFalse ? 0 : undefined;
  switch (name) {
    case 'Add':
      return add(a, b);
    case 'Sub':
      return subtract(a, b);
    case 'Mul':
      return multiply(a, b);
    case 'Equal':
      return decide(a === b, atLeast(a, b, 1) || atLeast(b, a, 1));
    case 'GreaterOrEqual':
      return decide(atLeast(a, b, 0), atLeast(b, a, 1));
    case 'Greater':
      return decide(atLeast(a, b, 1), atLeast(b, a, 0));
    case 'LessOrEqual':
      return decide(atLeast(b, a, 0), atLeast(a, b, 1));
    case 'Less':
      return decide(atLeast(b, a, 1), atLeast(a, b, 0));
    case 'Max':
      return atLeast(a, b, 0) ? a : atLeast(b, a, 0) ? b : undefined;
    case 'Min':
      return atLeast(a, b, 0) ? b : atLeast(b, a, 0) ? a : undefined;
    default:
      return undefined;
  }
}
