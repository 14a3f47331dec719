import { describe, expect, it } from 'vitest';
import { classExamples, scoreExamples } from './gold-examples.ts';
import { readDataset } from './read-dataset.ts';

const read = (file: string, text: string) => readDataset(new TextEncoder().encode(text), { file });

describe('readDataset', () => {
  it('reads headed TSV', () => {
    expect(read('a.tsv', 'sentence\tlabel\ngood\t1\nbad\t0\n').examples).toEqual([
      { text: 'good', label: '1', line: 2 },
      { text: 'bad', label: '0', line: 3 },
    ]);
  });

  it('finds pairs and scores by name, whatever the order and case', () => {
    expect(read('sts.csv', 'Score,id,Sentence2,sentence1\n4.5,x,b,a\n').examples).toEqual([
      { text: 'a', textPair: 'b', score: 4.5, line: 2 },
    ]);
  });

  it('takes a file without a header as text and label', () => {
    expect(read('a.tsv', 'good\t1\n').examples).toEqual([{ text: 'good', label: '1', line: 1 }]);
    expect(read('a.csv', 'text;label\nit is, well;1\n').examples).toEqual([
      { text: 'it is, well', label: '1', line: 2 },
    ]);
  });

  it('reads JSONL and plain lines', () => {
    expect(
      read('a.jsonl', '{"text":"a","label":1}\n\n{"text":"b","text_pair":"c","label":"no"}').examples,
    ).toEqual([
      { text: 'a', label: '1', line: 1 },
      { text: 'b', textPair: 'c', label: 'no', line: 3 },
    ]);
    expect(read('a.txt', ' one\n\ntwo\r\n').examples).toEqual([
      { text: 'one', line: 1 },
      { text: 'two', line: 3 },
    ]);
  });

  it.each([
    ['a.tsv', 'text\tlabel\ngood\n', 'a.tsv:2: has 1 fields where the first line has 2.'],
    ['a.tsv', 'text\tlabel\n \t1\n', 'a.tsv:2: has no text.'],
    ['a.tsv', 'id\tbody\tgrade\n1\tx\ty\n', "a.tsv:1: has no known text column among 'id', 'body', 'grade'."],
    ['a.csv', 'text,score\nx,high\n', "a.csv:2: the score 'high' is not a number."],
    ['a.jsonl', '{"text":"a"}\n{"text":', 'a.jsonl:2: is not JSON'],
    ['a.jsonl', '[1]', 'a.jsonl:1: is not a JSON object.'],
    ['a.jsonl', '{"text":{"a":1}}', "a.jsonl:1: 'text' is neither text nor a number."],
    ['a.tsv', 'text\tlabel\n', 'a.tsv: holds no examples.'],
    ['a.parquet', '', 'a.parquet: unknown kind of data file.'],
  ])('%s %j: %s', (file, text, message) => {
    expect(() => read(file, text)).toThrow(message);
  });
});

describe('classExamples and scoreExamples', () => {
  const labels = ['NEGATIVE', 'POSITIVE'];

  it('takes labels by index and by name', () => {
    const dataset = read('a.tsv', 'text\tlabel\na\t1\nb\tPOSITIVE\nc\tnegative\n');
    expect(classExamples(dataset, labels).map(({ gold }) => gold)).toEqual([1, 1, 0]);
    expect(scoreExamples(read('s.csv', 'text,score\na,-1.5\n'))).toEqual([{ text: 'a', gold: -1.5 }]);
  });

  it.each([
    ['text\tlabel\na\t1\nb\t2\n', "a.tsv:3: the model has no label '2'."],
    ['text\tlabel\na\tneutral\n', "a.tsv:2: the model has no label 'neutral'."],
    ['text\na\n', 'a.tsv:2: the example has no label.'],
  ])('%j: %s', (text, message) => {
    expect(() => classExamples(read('a.tsv', text), labels)).toThrow(message);
  });
});
