import { describe, expect, it } from 'vitest';
import { classExamples, labelExamples, scoreExamples } from './gold-examples.ts';
import { readDataset, readFileTable } from './read-dataset.ts';

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
    ['a.tsv', 'text\tlabel\ngood\n', 'a.tsv:2: has 1 field where the first line has 2.'],
    ['a.tsv', 'text\tlabel\n \t1\n', 'a.tsv:2: has no text.'],
    ['a.tsv', 'id\tbody\tgrade\n1\tx\ty\n', "a.tsv:1: has no known text column among 'id', 'body', 'grade'."],
    ['a.csv', 'picture,label\na.png,cat\n', "a.csv:1: has no known text column among 'picture', 'label'."],
    ['a.csv', 'text,score\nx,high\n', "a.csv:2: the score 'high' is not a number."],
    ['a.jsonl', '{"text":"a"}\n{"text":', 'a.jsonl:2: is not JSON'],
    ['a.jsonl', '[1]', 'a.jsonl:1: is not a JSON object.'],
    ['a.jsonl', '{"text":{"a":1}}', "a.jsonl:1: 'text' is neither text nor a number."],
    ['a.jsonl', '{"text":["a"]}', "a.jsonl:1: 'text' is neither text nor a number."],
    [
      'a.jsonl',
      '{"text":"a","labels":[{}]}',
      "a.jsonl:1: 'labels' lists something that is neither text nor a number.",
    ],
    ['a.tsv', 'text\tlabel\n', 'a.tsv: holds no examples.'],
    ['a.parquet', '', 'a.parquet: unknown kind of data file.'],
  ])('%s %j: %s', (file, text, message) => {
    expect(() => read(file, text)).toThrow(message);
  });
});

describe('readFileTable', () => {
  const images = (file: string, text: string) => readFileTable(new TextEncoder().encode(text), { file });

  it('reads paths and labels', () => {
    expect(images('a.csv', 'file,wnid,class_index,name\na/1.jpg,n01,7,hen\n').examples).toEqual([
      { file: 'a/1.jpg', label: '7', line: 2 },
    ]);
    expect(images('a.csv', 'file,person\n1.png,0\n').examples).toEqual([
      { file: '1.png', label: '0', line: 2 },
    ]);
    expect(images('a.txt', '1.png\n').examples).toEqual([{ file: '1.png', line: 1 }]);
    expect(classExamples(images('a.jsonl', '{"image":"1.png","label":"b"}'), ['a', 'b'])).toEqual([
      { file: '1.png', gold: 1 },
    ]);
  });

  it('names the line without a file, and the columns where none has files', () => {
    expect(() => images('a.csv', 'file,label\n,0\n')).toThrow('a.csv:2: has no file');
    expect(() => images('a.csv', 'a,b,c\n1,2,3\n')).toThrow("has no known file column among 'a', 'b', 'c'");
  });
});

describe('encodings', () => {
  it('takes UTF-8 with a byte order mark in every format', () => {
    for (const [file, text] of [
      ['a.tsv', 'text\tlabel\ncafé\t1\n'],
      ['a.csv', 'text,label\r\ncafé,1\r\n'],
      ['a.jsonl', '{"text":"café","label":1}\r\n'],
    ] as const)
      expect(read(file, `\ufeff${text}`).examples).toMatchObject([{ text: 'café', label: '1' }]);
    expect(read('a.txt', '\ufeffcafé').examples).toEqual([{ text: 'café', line: 1 }]);
  });

  it.each([
    ['Latin-1', Uint8Array.of(0x63, 0xe9, 0x09, 0x31)],
    ['UTF-16', Uint8Array.of(0xff, 0xfe, 0x61, 0, 0x09, 0, 0x31, 0)],
  ])('refuses %s', (_, bytes) => {
    expect(() => readDataset(bytes, { file: 'a.tsv' })).toThrow('a.tsv: is not UTF-8 text.');
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
    ['text\tlabel\na\t\n', 'a.tsv:2: the example has no label.'],
    ['text\tlabel\na\t0,1\n', 'a.tsv:2: the example has several labels, the model gives one.'],
  ])('%j: %s', (text, message) => {
    expect(() => classExamples(read('a.tsv', text), labels)).toThrow(message);
  });
});

describe('labelExamples', () => {
  const labels = ['joy', 'anger', 'fear, awe'];
  const golds = (file: string, text: string) =>
    labelExamples(read(file, text), labels).map(({ gold }) => gold);

  it('takes names and indices in one cell, separated by comma, semicolon or bar; an empty cell has none', () => {
    const rows = ['a\tjoy', 'b\t1,0', 'c\tAnger; 2', 'd\t2|joy', 'e\t', 'f\tfear, awe', 'g\t,1,'];
    expect(golds('a.tsv', `text\tlabels\n${rows.join('\n')}\n`)).toEqual([
      [0],
      [0, 1],
      [1, 2],
      [0, 2],
      [],
      [2],
      [1],
    ]);
    expect(golds('a.csv', 'text,labels\na,"joy,anger"\nb,\n')).toEqual([[0, 1], []]);
    // A file like GoEmotions': no header, two columns.
    expect(golds('a.tsv', 'good\t1,0\n')).toEqual([[0, 1]]);
  });

  it('takes lists in JSONL', () => {
    const lines = ['["fear, awe","joy"]', '[1,0]', '[]', '"anger"', '2'];
    expect(golds('a.jsonl', lines.map((list) => `{"text":"x","labels":${list}}`).join('\n'))).toEqual([
      [0, 2],
      [0, 1],
      [],
      [1],
      [2],
    ]);
  });

  it.each([
    ['a.tsv', 'text\na\n', 'a.tsv:2: the example has no labels.'],
    ['a.jsonl', '{"text":"a","labels":null}', 'a.jsonl:1: the example has no labels.'],
    ['a.tsv', 'text\tlabels\na\tjoy,hope\n', "a.tsv:2: the model has no label 'hope'."],
    ['a.jsonl', '{"text":"a","labels":[1,0,1]}', 'a.jsonl:1: the label 1 anger is there twice.'],
  ])('%s %j: %s', (file, text, message) => {
    expect(() => golds(file, text)).toThrow(message);
  });
});
