import { CompilerError } from '../diagnostics/index.ts';
import type { Dataset, Example } from './dataset.ts';
import { parseDelimited, type DelimitedRow } from './delimited.ts';

/** Column names by what they hold, in order of preference; compared without case. */
export const DATASET_COLUMNS = {
  text: ['sentence', 'text', 'sentence1', 'premise', 'question', 'question1', 'review', 'content'],
  textPair: ['text_pair', 'sentence2', 'hypothesis', 'question2', 'text2'],
  label: ['label', 'labels', 'class', 'sentiment', 'target'],
  score: ['score', 'similarity', 'similarity_score'],
} as const;

type Column = keyof typeof DATASET_COLUMNS;

export interface ReadDatasetOptions {
  /** File name; its ending chooses the format (`.tsv`, `.csv`, `.jsonl`, `.ndjson`, `.txt`) and messages name it. */
  readonly file: string;
}

/**
 * Reads examples. TSV and CSV need a header line unless they have one or two columns without any known name: these are
 * text, then label. JSONL has one object a line with the same names; its label may be a list. TXT has one text a line,
 * without labels.
 * @throws CompilerError `bad-file` naming file and line.
 */
export function readDataset(bytes: Uint8Array, options: ReadDatasetOptions): Dataset {
  const { file } = options;
  const text = decode(bytes, file);
  const examples = readExamples(text, file);
  if (examples.length === 0) throw problem(file, undefined, 'holds no examples');
  return { name: file, examples };
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw problem(file, undefined, 'is not UTF-8 text', 'Save it as text in UTF-8.');
  }
}

function readExamples(text: string, file: string): readonly Example[] {
  const ending = /\.([a-z0-9]+)$/i.exec(file)?.[1]?.toLowerCase();
  switch (ending) {
    case 'tsv':
      return fromRows(parseDelimited(text, { delimiter: '\t', file }), file);
    case 'csv':
      return fromRows(parseDelimited(text, { delimiter: csvDelimiter(text), file }), file);
    case 'jsonl':
    case 'ndjson':
      return fromJsonLines(text, file);
    case 'txt':
      return fromLines(text);
    default:
      throw new CompilerError('bad-file', `${file}: unknown kind of data file.`, {
        at: { file },
        hint: 'Give a .tsv, .csv, .jsonl or .txt file.',
      });
  }
}

/** Spreadsheets of many locales separate by semicolons. */
function csvDelimiter(text: string): ',' | ';' {
  const header = text.slice(0, text.search(/[\r\n]|$/));
  return !header.includes(',') && header.includes(';') ? ';' : ',';
}

function fromRows(rows: readonly DelimitedRow[], file: string): readonly Example[] {
  const first = rows[0];
  if (!first) return [];
  const named = findColumns(first.fields);
  const columns = named ?? bareColumns(first, file);
  const width = first.fields.length;
  return rows.slice(named ? 1 : 0).map(({ line, fields }) => {
    if (fields.length !== width)
      throw problem(file, line, `has ${countOf(fields.length)} where the first line has ${width}`);
    return toExample((column) => fields[columns[column] ?? -1], line, file);
  });
}

function countOf(fields: number): string {
  return fields === 1 ? '1 field' : `${fields} fields`;
}

type ColumnIndex = Partial<Record<Column, number>>;

/** Where each known column stands; undefined when the line is no header with a text column. */
function findColumns(header: readonly string[]): ColumnIndex | undefined {
  const names = header.map((name) => name.trim().toLowerCase());
  const columns: ColumnIndex = {};
  for (const column of Object.keys(DATASET_COLUMNS) as Column[]) {
    const name = DATASET_COLUMNS[column].find((candidate) => names.includes(candidate));
    if (name !== undefined) columns[column] = names.indexOf(name);
  }
  return columns.text === undefined ? undefined : columns;
}

function bareColumns({ line, fields }: DelimitedRow, file: string): ColumnIndex {
  if (fields.length <= 2) return fields.length === 2 ? { text: 0, label: 1 } : { text: 0 };
  throw problem(
    file,
    line,
    `has no known text column among ${fields.map((name) => `'${name}'`).join(', ')}`,
    `Name the columns in the first line: ${DATASET_COLUMNS.text.slice(0, 2).join(' or ')}, label; for pairs also text_pair, score.`,
  );
}

function fromJsonLines(text: string, file: string): readonly Example[] {
  return text.split(/\r\n|\n|\r/).flatMap((source, index) => {
    if (source.trim() === '') return [];
    const line = index + 1;
    return [fromObject(parseObject(source, line, file), line, file)];
  });
}

function fromObject(object: object, line: number, file: string): Example {
  const fields = new Map(Object.entries(object).map(([key, value]) => [key.toLowerCase(), value as unknown]));
  const nameOf = (column: Column): string =>
    DATASET_COLUMNS[column].find((candidate) => fields.has(candidate)) ?? column;
  const field = (column: Column): string | undefined => {
    const value = fields.get(nameOf(column)) ?? undefined;
    if (value === undefined || (column === 'label' && Array.isArray(value))) return undefined;
    if (isPlain(value)) return String(value);
    throw problem(file, line, `'${nameOf(column)}' is neither text nor a number`);
  };
  const example = toExample(field, line, file);
  const label = fields.get(nameOf('label'));
  if (!Array.isArray(label)) return example;
  if (!label.every(isPlain))
    throw problem(file, line, `'${nameOf('label')}' lists something that is neither text nor a number`);
  return { ...example, label: label.map((each) => String(each).trim()) };
}

function isPlain(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

function parseObject(source: string, line: number, file: string): object {
  try {
    const value: unknown = JSON.parse(source);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (cause) {
    throw problem(file, line, `is not JSON (${(cause as Error).message})`);
  }
  throw problem(file, line, 'is not a JSON object');
}

function fromLines(text: string): readonly Example[] {
  return text
    .split(/\r\n|\n|\r/)
    .map((line, index) => ({ text: line.trim(), line: index + 1 }))
    .filter((example) => example.text !== '');
}

function toExample(field: (column: Column) => string | undefined, line: number, file: string): Example {
  const text = field('text');
  if (text === undefined || text.trim() === '') throw problem(file, line, 'has no text');
  const textPair = field('textPair');
  const label = field('label')?.trim();
  const score = field('score');
  if (score !== undefined && (score.trim() === '' || !Number.isFinite(Number(score))))
    throw problem(file, line, `the score '${score}' is not a number`);
  return {
    text,
    line,
    ...(textPair === undefined ? {} : { textPair }),
    ...(label === undefined ? {} : { label }),
    ...(score === undefined ? {} : { score: Number(score) }),
  };
}

function problem(file: string, line: number | undefined, message: string, hint?: string): CompilerError {
  const place = line === undefined ? file : `${file}:${line}`;
  return new CompilerError('bad-file', `${place}: ${message}.`, {
    at: { file },
    ...(hint === undefined ? {} : { hint }),
  });
}
