import { describe, expect, it } from 'vitest';
import { parseDelimited } from './delimited.ts';

const csv = (text: string): unknown =>
  parseDelimited(text, { delimiter: ',', file: 'a.csv' }).map(({ line, fields }) => [line, ...fields]);
const tsv = (text: string): unknown =>
  parseDelimited(text, { delimiter: '\t', file: 'a.tsv' }).map(({ line, fields }) => [line, ...fields]);

describe('parseDelimited', () => {
  it('reads quotes, doubled quotes, delimiters and line breaks inside quotes', () => {
    expect(csv('a,b\r\n"x, ""y""\nz",2\r\n"",\n')).toEqual([
      [1, 'a', 'b'],
      [2, 'x, "y"\nz', '2'],
      [4, '', ''],
    ]);
  });

  it('takes any line break, a missing last one, a BOM and empty lines', () => {
    expect(csv('\ufeffa,b\rc,d\n\n\r\ne,f')).toEqual([
      [1, 'a', 'b'],
      [2, 'c', 'd'],
      [5, 'e', 'f'],
    ]);
    expect(csv('a,')).toEqual([[1, 'a', '']]);
    expect(csv('')).toEqual([]);
  });

  it.each([
    ['1,2\n"open,3', 'a.csv:2: a quoted field is not closed.'],
    ['1,2\n3,"a"b', 'a.csv:2: text follows a closing quote.'],
    ['say "hi",1', 'a.csv:1: a quote stands inside an unquoted field.'],
  ])('refuses %j', (text, message) => {
    expect(() => csv(text)).toThrow(message);
  });

  it('reads a TSV whose quotes do not pair up literally', () => {
    expect(tsv('"great" film\t1\n"open\t0')).toEqual([
      [1, '"great" film', '1'],
      [2, '"open', '0'],
    ]);
    expect(tsv('"a\tb"\t1')).toEqual([[1, 'a\tb', '1']]);
  });
});
