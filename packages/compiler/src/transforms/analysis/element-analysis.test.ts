import { describe, expect, it } from 'vitest';
import { parseModel } from '../../ir/index.ts';
import { inferTypes } from '../../ops/index.ts';
import { GraphIndex } from '../../rewrite/index.ts';
import { coordinatesOf } from './coordinates.ts';
import { ElementAnalysis } from './element-analysis.ts';
import { erf, type Element } from './element.ts';

/** The element of `y` as text: `Add(x[at.0,0], 3)`. */
function elementOfY(body: string): string {
  const model = parseModel(`ir 10\nopset ai.onnx 17\n\ngraph main {\n${body}\n  output y\n}\n`);
  const { types } = inferTypes(model);
  const analysis = new ElementAnalysis(new GraphIndex(model.graph), (value) => types.get(value));
  const { at, coordinates } = coordinatesOf(types.get('y')?.shape ?? []);
  return text(analysis.at('y', at, { coordinates }));
}

function text(element: Element): string {
  if (element.kind === 'scalar') return String(element.value);
  if (element.kind === 'read') return `${element.value}[${element.at.join()}]`;
  return `${element.function}(${element.arguments.map(text).join(', ')})`;
}

describe('ElementAnalysis', () => {
  it('follows data movement', () => {
    const body = `
  input x: float32[b,s,8]
  constant split: int64[4] {0, 0, 2, 4}
  constant merged: int64[3] {-1, 4, 2}
  a = Reshape(x, split)
  h = Transpose(a) perm=[0, 2, 3, 1]
  y = Identity(h)`;
    expect(elementOfY(body)).toBe('x[at.0,at.3,4*at.1+at.2]');
  });

  it('broadcasts and computes with constants', () => {
    const body = `
  input x: float32[b,1]
  constant c: float32[3] {2, 2, 2}
  constant two: float32[] {2}
  p = Mul(c, two)
  y = Add(x, p)`;
    expect(elementOfY(body)).toBe('Add(x[at.0,0], 4)');
  });

  it('follows shapes, ranges and computed indices', () => {
    const body = `
  input mask: int64[b,s]
  constant zero: int64[] {0}
  constant one: int64[] {1}
  constant column: int64[1] {1}
  shape = Shape(mask)
  length = Gather(shape, one) axis=0
  rows = Gather(shape, zero) axis=0
  k = Range(zero, length, one)
  q = Range(zero, rows, one)
  q1 = Unsqueeze(q, column)
  start = Mul(q1, length)
  place = Add(k, start)
  flat = Flatten(mask) axis=2
  y = Gather(flat, place) axis=0`;
    expect(elementOfY(body)).toBe('mask[at.0,at.1]');
  });

  it('divides integers as ONNX does, and floats exactly', () => {
    const body = (type: string): string => `
  input x: float32[b]
  constant p: ${type}[1] {7}
  constant q: ${type}[1] {2}
  d = Div(p, q)
  c = Cast(d) to=1
  y = Mul(x, c)`;
    expect(elementOfY(body('int64'))).toBe('Mul(x[at.0], 3)');
    expect(elementOfY(body('float32'))).toBe('Mul(x[at.0], 3.5)');
  });

  it('decides comparisons of coordinates with their limits', () => {
    const body = `
  input x: int64[b,s]
  constant zero: int64[] {0}
  constant one: int64[] {1}
  shape = Shape(x)
  length = Gather(shape, one) axis=0
  k = Range(zero, length, one)
  inside = Less(k, length)
  positive = GreaterOrEqual(k, zero)
  both = And(inside, positive)
  y = Where(both, x, zero)`;
    expect(elementOfY(body)).toBe('x[at.0,at.1]');
  });

  it('finds the part of a Concat, and says nothing where it may be either', () => {
    const parts = '\n  input a: float32[2,s]\n  input b: float32[3,s]\n  c = Concat(a, b) axis=0';
    const start =
      '\n  constant start: int64[1] {2}\n  constant end: int64[1] {5}\n  constant axis: int64[1] {0}';
    expect(elementOfY(`${parts}${start}\n  y = Slice(c, start, end, axis)`)).toBe('b[at.0,at.1]');
    expect(elementOfY(`${parts}\n  y = Identity(c)`)).toBe('c[at.0,at.1]');
  });

  it('does not care where it reads when all elements are equal', () => {
    const body = `
  input i: int64[b]
  constant zeros: int64[1] {0}
  constant many: int64[1] {9}
  buffer = Expand(zeros, many)
  y = Gather(buffer, i) axis=0`;
    expect(elementOfY(body)).toBe('0');
  });

  it.each([
    ['an unknown operator', '  input x: float32[4]\n  y = Softmax(x)'],
    [
      'a Slice with steps',
      '  input x: float32[4]\n  constant z: int64[1] {0}\n  constant e: int64[1] {4}\n  constant two: int64[1] {2}\n  y = Slice(x, z, e, z, two)',
    ],
    [
      'an index that depends on data',
      '  input x: float32[4]\n  input i: int64[2]\n  y = Gather(x, i) axis=0',
    ],
    [
      'a Reshape that mixes axes',
      '  input x: float32[a,b]\n  constant t: int64[2] {7, -1}\n  y = Reshape(x, t)',
    ],
  ])('ends at %s', (_what, body) => {
    expect(elementOfY(body)).toMatch(/^y\[/);
  });
});

describe('erf', () => {
  it('is good to 1.2e-7', () => {
    // Abramowitz and Stegun, table 7.1.
    for (const [x, expected] of [
      [0, 0],
      [0.5, 0.5204998778],
      [1, 0.8427007929],
      [-2, -0.995322265],
    ] as const)
      expect(Math.abs(erf(x) - expected)).toBeLessThan(1.3e-7);
  });
});
