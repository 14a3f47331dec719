import { describe, expect, it } from 'vitest';
import { addDims, mulDims, type Dim } from '../ir/index.ts';
import { bindDim, ceilDivDim, floorDivDim } from './floor-dim.ts';

describe('floorDivDim', () => {
  it.each<[Dim, number, Dim]>([
    [7, 2, 3],
    [null, 2, null],
    ['4*h', 2, '2*h'],
    ['2*h+1', 2, 'h'],
    ['2*h-1', 2, 'h-1'],
    ['h-1', 2, '"floor((h+1)/2)"-1'],
    ['h', 1, 'h'],
  ])('of %j by %j is %j', (dim, divisor, expected) => {
    expect(floorDivDim(dim, divisor)).toEqual(expected);
  });

  it('does not nest quotients', () => {
    expect(floorDivDim(floorDivDim('h', 2), 2)).toBe('"floor((h)/4)"');
    expect(floorDivDim(addDims(floorDivDim(addDims('h', -1), 2), 1), 2)).toBe('"floor((h+1)/4)"');
  });

  it('is what bindDim computes, for random expressions', () => {
    for (let h = 0; h < 40; h++) {
      const bindings = new Map([['h', h]]);
      for (const shift of [-3, 0, 1, 5]) {
        const inner = floorDivDim(addDims(mulDims('h', 3), shift), 2);
        const outer = floorDivDim(addDims(inner, 1), 3);
        const expected = Math.floor((Math.floor((3 * h + shift) / 2) + 1) / 3);
        expect(bindDim(outer, bindings)).toBe(expected);
        expect(bindDim(ceilDivDim(inner, 4), bindings)).toBe(
          Math.ceil(Math.floor((3 * h + shift) / 2) / 4) + 0,
        );
      }
    }
  });
});

describe('bindDim', () => {
  it('is null when a symbol is missing', () => {
    expect(bindDim(floorDivDim('h', 2), new Map())).toBeNull();
    expect(bindDim('h*w', new Map([['h', 2]]))).toBeNull();
  });
});
