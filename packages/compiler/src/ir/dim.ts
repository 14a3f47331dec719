import { CompilerError } from '../diagnostics/index.ts';

/**
 * One dimension: a number, a symbolic expression, or null when nothing is known.
 * Expressions are polynomials with integer coefficients in canonical text (`seq`, `2*seq`, `batch*seq+1`);
 * build them with `symbolDim`, `addDims`, `mulDims`, … so that equal dimensions are equal strings.
 *
 * Canonical text: terms by falling degree, then by symbol name; a term is `coefficient*symbol*symbol` with its symbols
 * sorted, powers written out (`seq*seq`) and a coefficient of 1 left out; no spaces; the constant comes last.
 * A symbol that is not an identifier (`[A-Za-z_][A-Za-z0-9_.]*`) is written as a JSON string: `2*"floor(x/2)"`.
 */
export type Dim = number | string | null;

export type Shape = readonly Dim[];

/** Inclusive limits of a symbol or of a dimension. */
export interface DimRange {
  readonly min: number;
  readonly max: number;
}

interface Term {
  readonly coefficient: number;
  /** Sorted; a power repeats the symbol; empty for the constant. */
  readonly symbols: readonly string[];
}

/** Terms in canonical order, coefficients not 0, no two with the same symbols. */
type Polynomial = readonly Term[];

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_.]*$/;
const FACTOR = /\s*(?:(\d+)|([A-Za-z_][A-Za-z0-9_.]*)|("(?:[^"\\]|\\.)*"))\s*/y;

/** A `dim_param` longer than this is never read as an expression: nobody writes one, and it bounds the work. */
const EXPRESSION_MAX_LENGTH = 256;

/** The dimension that stands for one symbol, quoted when its name is not an identifier. */
export function symbolDim(name: string): string {
  return IDENTIFIER.test(name) ? name : JSON.stringify(name);
}

/** `a + b`; null when one is unknown or a coefficient leaves the exact integers (±2^53). */
export function addDims(a: Dim, b: Dim): Dim {
  return combine(a, b, (p, q) => [...p, ...q]);
}

/** `a − b`; null as in `addDims`. */
export function subDims(a: Dim, b: Dim): Dim {
  return combine(a, b, (p, q) => [...p, ...scale(q, { coefficient: -1, symbols: [] })]);
}

/** `a · b`; null as in `addDims`, except that 0 times an unknown dimension is 0. */
export function mulDims(a: Dim, b: Dim): Dim {
  if (a === 0 || b === 0) return 0;
  return combine(a, b, (p, q) => q.flatMap((term) => scale(p, term)));
}

/** `a / b` when b divides a exactly as a polynomial (`2*seq*heads / heads`), else null; also null for b = 0. */
export function divDims(a: Dim, b: Dim): Dim {
  if (a === null || b === null) return null;
  const divisor = polynomial(b);
  const leading = divisor[0];
  if (leading === undefined) return null;
  let rest = polynomial(a);
  const quotient: Term[] = [];
  for (let head = rest[0]; head !== undefined; head = rest[0]) {
    const term = divideTerm(head, leading);
    if (term === undefined) return null;
    quotient.push(term);
    const next = normalize([...rest, ...scale(divisor, { ...term, coefficient: -term.coefficient })]);
    if (next === undefined) return null;
    rest = next;
  }
  return format(quotient);
}

/** The product of all dims of a shape: its element count. */
export function productDim(shape: Shape): Dim {
  return shape.reduce<Dim>((product, dim) => mulDims(product, dim), 1);
}

/** The number that a dimension becomes when its symbols get these values; null when one is not bound. */
export function evaluateDim(dim: Dim, bindings: ReadonlyMap<string, number>): number | null {
  if (dim === null || typeof dim === 'number') return dim;
  let sum = 0;
  for (const { coefficient, symbols } of polynomial(dim)) {
    let product = coefficient;
    for (const symbol of symbols) {
      const value = bindings.get(symbol);
      if (value === undefined) return null;
      product *= value;
    }
    sum += product;
  }
  return sum;
}

/** Replaces symbols by dimensions (`{seq: 128}`, `{seq: 'past+new'}`); symbols without a replacement stay. */
export function substituteDim(dim: Dim, replacements: ReadonlyMap<string, Dim>): Dim {
  if (typeof dim !== 'string') return dim;
  return polynomial(dim)
    .map(({ coefficient, symbols }) =>
      symbols
        .map((symbol) => replacements.get(symbol) ?? symbolDim(symbol))
        .reduce<Dim>((product, factor) => mulDims(product, factor), coefficient),
    )
    .reduce<Dim>((sum, term) => addDims(sum, term), 0);
}

/** Names of the symbols in a dimension, sorted, without quotes; empty for numbers and unknown dimensions. */
export function dimSymbols(dim: Dim): string[] {
  if (typeof dim !== 'string') return [];
  return [...new Set(polynomial(dim).flatMap((term) => term.symbols))].toSorted();
}

/**
 * Limits of a dimension by interval arithmetic, term by term: never too narrow, exact where each symbol occurs once.
 * Null when the dimension is unknown or one of its symbols has no bounds.
 */
export function boundDim(dim: Dim, bounds: ReadonlyMap<string, DimRange>): DimRange | null {
  if (dim === null) return null;
  if (typeof dim === 'number') return { min: dim, max: dim };
  let sum: DimRange = { min: 0, max: 0 };
  for (const { coefficient, symbols } of polynomial(dim)) {
    let product: DimRange = { min: coefficient, max: coefficient };
    for (const symbol of symbols) {
      const range = bounds.get(symbol);
      if (range === undefined) return null;
      product = multiplyRanges(product, range);
    }
    sum = { min: sum.min + product.min, max: sum.max + product.max };
  }
  return sum;
}

/**
 * Reads an expression such as `2 * seq + 1` into canonical form.
 * @throws CompilerError `bad-option` when the text is not a sum of products of integers and symbols.
 */
export function parseDim(text: string): number | string {
  const terms = parsePolynomial(text);
  if (terms === undefined) {
    throw new CompilerError('bad-option', `'${text}' is not a dimension expression`, {
      hint: 'write a number, a symbol or a polynomial such as 2*seq+1; quote other symbols: "floor(x/2)"',
    });
  }
  return format(terms);
}

/**
 * Reads an ONNX `dim_param`. Text that is an expression in canonical form becomes that expression; any other text
 * (`floor(x/2)`, `s0 + 1`, `12`) names an opaque symbol, so that `dimToParam` gives back exactly what was read.
 */
export function dimFromParam(param: string): string {
  const terms = param.length > EXPRESSION_MAX_LENGTH ? undefined : parsePolynomial(param);
  if (terms === undefined) return symbolDim(param);
  const canonical = format(terms);
  const single = opaqueSymbol(canonical);
  return canonical === param && single === undefined ? canonical : symbolDim(param);
}

/** The ONNX `dim_param` of a symbolic dimension: an opaque symbol loses its quotes, the rest is written as it is. */
export function dimToParam(dim: string): string {
  return opaqueSymbol(dim) ?? dim;
}

/** The name behind a dimension that is one quoted symbol and nothing else. */
function opaqueSymbol(dim: number | string): string | undefined {
  if (typeof dim !== 'string' || !dim.startsWith('"')) return undefined;
  const [term, ...others] = polynomial(dim);
  if (term === undefined || others.length > 0 || term.coefficient !== 1 || term.symbols.length !== 1)
    return undefined;
  return term.symbols[0];
}

function combine(a: Dim, b: Dim, join: (p: Polynomial, q: Polynomial) => Term[]): Dim {
  if (a === null || b === null) return null;
  const terms = normalize(join(polynomial(a), polynomial(b)));
  return terms === undefined ? null : format(terms);
}

function polynomial(dim: number | string): Polynomial {
  if (typeof dim === 'number') return dim === 0 ? [] : [{ coefficient: dim, symbols: [] }];
  if (IDENTIFIER.test(dim)) return [{ coefficient: 1, symbols: [dim] }];
  const terms = parsePolynomial(dim);
  if (terms === undefined)
    throw new TypeError(`not a dimension: ${dim} (build dimensions with symbolDim, addDims, …)`);
  return terms;
}

function parsePolynomial(text: string): Polynomial | undefined {
  const terms: Term[] = [];
  let at = 0;
  let sign = 1;
  if (text.startsWith('-')) {
    sign = -1;
    at = 1;
  }
  for (;;) {
    const parsed = parseTerm(text, at, sign);
    if (parsed === undefined) return undefined;
    terms.push(parsed.term);
    at = parsed.end;
    if (at === text.length) return normalize(terms);
    if (text[at] !== '+' && text[at] !== '-') return undefined;
    sign = text[at] === '-' ? -1 : 1;
    at += 1;
  }
}

function parseTerm(text: string, start: number, sign: number): { term: Term; end: number } | undefined {
  let coefficient = sign;
  const symbols: string[] = [];
  let at = start;
  for (;;) {
    FACTOR.lastIndex = at;
    const [match, integer, identifier, quoted] = FACTOR.exec(text) ?? [];
    if (match === undefined) return undefined;
    const symbol = identifier ?? (quoted === undefined ? undefined : unquote(quoted));
    if (integer !== undefined) coefficient *= Number(integer);
    else if (symbol === undefined) return undefined;
    else symbols.push(symbol);
    at += match.length;
    if (text[at] !== '*') return { term: { coefficient, symbols: symbols.toSorted() }, end: at };
    at += 1;
  }
}

function unquote(text: string): string | undefined {
  try {
    return JSON.parse(text) as string;
  } catch {
    return undefined; // a bad escape
  }
}

/** Collects equal terms and sorts; undefined when a coefficient is not an exact integer any more. */
function normalize(terms: readonly Term[]): Polynomial | undefined {
  const byKey = new Map<string, Term>();
  for (const { coefficient, symbols } of terms) {
    const key = JSON.stringify(symbols);
    byKey.set(key, { coefficient: (byKey.get(key)?.coefficient ?? 0) + coefficient, symbols });
  }
  const collected = [...byKey.values()].filter((term) => term.coefficient !== 0);
  if (!collected.every((term) => Number.isSafeInteger(term.coefficient))) return undefined;
  return collected.toSorted(compareTerms);
}

/** Graded lexicographic order, largest first: a monomial order, as the long division in `divDims` needs. */
function compareTerms(a: Term, b: Term): number {
  if (a.symbols.length !== b.symbols.length) return b.symbols.length - a.symbols.length;
  const index = a.symbols.findIndex((symbol, i) => symbol !== b.symbols[i]);
  if (index < 0) return 0;
  return (a.symbols[index] ?? '') < (b.symbols[index] ?? '') ? -1 : 1;
}

function scale(terms: Polynomial, by: Term): Term[] {
  return terms.map((term) => ({
    coefficient: term.coefficient * by.coefficient,
    symbols: [...term.symbols, ...by.symbols].toSorted(),
  }));
}

function divideTerm(term: Term, by: Term): Term | undefined {
  const coefficient = term.coefficient / by.coefficient;
  if (!Number.isInteger(coefficient)) return undefined;
  const symbols = [...term.symbols];
  for (const symbol of by.symbols) {
    const index = symbols.indexOf(symbol);
    if (index < 0) return undefined;
    symbols.splice(index, 1);
  }
  return { coefficient, symbols };
}

function multiplyRanges(a: DimRange, b: DimRange): DimRange {
  const corners = [a.min * b.min, a.min * b.max, a.max * b.min, a.max * b.max];
  return { min: Math.min(...corners), max: Math.max(...corners) };
}

function format(terms: Polynomial): number | string {
  const [first] = terms;
  if (first === undefined) return 0;
  if (terms.length === 1 && first.symbols.length === 0) return first.coefficient;
  const text = terms.map(formatTerm).join('');
  return text.startsWith('+') ? text.slice(1) : text;
}

function formatTerm({ coefficient, symbols }: Term): string {
  const sign = coefficient < 0 ? '-' : '+';
  const magnitude = Math.abs(coefficient);
  const factors = symbols.map(symbolDim);
  if (magnitude !== 1 || factors.length === 0) factors.unshift(String(magnitude));
  return sign + factors.join('*');
}
