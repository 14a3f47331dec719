import { describe, expect, it } from 'vitest';
import {
  addDims,
  boundDim,
  dimFromParam,
  dimSymbols,
  dimToParam,
  divDims,
  evaluateDim,
  mulDims,
  parseDim,
  productDim,
  subDims,
  substituteDim,
  symbolDim,
  type Dim,
} from './dim.ts';

describe('canonical text', () => {
  it.each<[Dim, Dim]>([
    [addDims('seq', 'batch'), 'batch+seq'],
    [addDims('seq', 'seq'), '2*seq'],
    [addDims(mulDims('seq', 2), 1), '2*seq+1'],
    [subDims('seq', 1), 'seq-1'],
    [subDims(1, 'seq'), '-seq+1'],
    [subDims('seq', 'seq'), 0],
    [mulDims('seq', 'batch'), 'batch*seq'],
    [mulDims(addDims('seq', 1), addDims('seq', -1)), 'seq*seq-1'],
    [mulDims(addDims('a', 'b'), addDims('a', 'b')), 'a*a+2*a*b+b*b'],
    [mulDims(0, null), 0],
    [mulDims(3, 4), 12],
    [addDims(null, 1), null],
    [mulDims('seq', symbolDim('floor(x/2)')), '"floor(x/2)"*seq'],
    [productDim(['batch', 'seq', 4, 8]), '32*batch*seq'],
    [mulDims(2 ** 30, 2 ** 30), null],
  ])('%j is %j', (actual, expected) => {
    expect(actual).toEqual(expected);
  });

  it('reads expressions in any order and with spaces', () => {
    expect(parseDim('1 + seq * 2 - 3 + seq')).toBe('3*seq-2');
    expect(parseDim('b * a * 2 * "x y"')).toBe('2*a*b*"x y"');
    expect(parseDim('12')).toBe(12);
  });

  it.each(['', 'a b', 'a+', '*a', 'a/2', '(a)', '"open', '"\\q"', 'a--b'])('refuses %j', (bad) => {
    expect(() => parseDim(bad)).toThrow(/dimension expression/);
  });
});

describe('divDims', () => {
  it.each<[Dim, Dim, Dim]>([
    [12, 4, 3],
    [12, 5, null],
    ['12*seq', 4, '3*seq'],
    ['12*batch*seq', 'seq', '12*batch'],
    ['batch*seq+batch', 'seq+1', 'batch'],
    ['a*a-b*b', 'a+b', 'a-b'],
    ['seq', 'batch', null],
    ['seq+1', 2, null],
    ['seq', 0, null],
    [0, 'seq', 0],
    [null, 2, null],
  ])('%j / %j is %j', (a, b, expected) => {
    expect(divDims(a, b)).toEqual(expected);
  });

  it('inverts mulDims for random polynomials', () => {
    let state = 7;
    const random = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return (state >>> 8) % below;
    };
    const randomDim = (): Dim => {
      let dim: Dim = random(5) - 2;
      for (let i = 0; i < 3; i++) {
        const monomial = productDim([
          random(7) - 3,
          ['a', 'b', 'c'][random(3)] ?? 'a',
          ['a', 'b', 1][random(3)] ?? 1,
        ]);
        dim = addDims(dim, monomial);
      }
      return dim;
    };
    for (let i = 0; i < 500; i++) {
      const [a, b] = [randomDim(), randomDim()];
      if (b === 0) continue;
      expect({ a, b, quotient: divDims(mulDims(a, b), b) }).toEqual({ a, b, quotient: a });
      expect(mulDims(a, b)).toEqual(mulDims(b, a));
      expect(subDims(addDims(a, b), b)).toEqual(a);
    }
  });
});

describe('values, symbols, bounds', () => {
  it('evaluates', () => {
    expect(evaluateDim('batch*seq+2*seq-1', new Map([['batch', 2], ['seq', 5]]))).toBe(19); // prettier-ignore
    expect(evaluateDim('batch*seq', new Map([['seq', 5]]))).toBeNull();
    expect(evaluateDim('2*"x y"', new Map([['x y', 5]]))).toBe(10);
    expect(evaluateDim(7, new Map())).toBe(7);
  });

  it('substitutes', () => {
    expect(substituteDim('batch*seq+1', new Map<string, Dim>([['batch', 1]]))).toBe('seq+1');
    expect(substituteDim('seq*seq', new Map<string, Dim>([['seq', 'a+1']]))).toBe('a*a+2*a+1');
  });

  it('lists symbols without quotes', () => {
    expect(dimSymbols('"x y"*b+a-2')).toEqual(['a', 'b', 'x y']);
    expect(dimSymbols(3)).toEqual([]);
    expect(dimSymbols(null)).toEqual([]);
  });

  it('bounds', () => {
    const bounds = new Map([['seq', { min: 1, max: 128 }], ['batch', { min: 1, max: 4 }]]); // prettier-ignore
    expect(boundDim('batch*seq+1', bounds)).toEqual({ min: 2, max: 513 });
    expect(boundDim('batch-seq', bounds)).toEqual({ min: -127, max: 3 });
    expect(boundDim('past', bounds)).toBeNull();
    expect(boundDim(9, bounds)).toEqual({ min: 9, max: 9 });
  });
});

describe('ONNX dim_param', () => {
  it.each([
    ['batch_size', 'batch_size'],
    ['unk__12', 'unk__12'],
    ['2*seq+1', '2*seq+1'],
    ['seq + 1', '"seq + 1"'],
    ['floor(x/2)', '"floor(x/2)"'],
    ['1*seq', '"1*seq"'],
    ['12', '"12"'],
    ['?', '"?"'],
    ['"x"', '"\\"x\\""'],
    ['"x y"', '"\\"x y\\""'],
    ['2*"x y"', '2*"x y"'],
    ['日本', '"日本"'],
  ])('%s reads as %s and is written back', (param, dim) => {
    expect(dimFromParam(param)).toBe(dim);
    expect(dimToParam(dim)).toBe(param);
  });
});
