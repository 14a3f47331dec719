import { CompilerError } from '../diagnostics/index.ts';
import type { Dataset, Example } from './dataset.ts';
import { parseDelimited, type DelimitedRow } from './delimited.ts';
import type { FileInput, RunnerInput, TextInput } from './runner.ts';

/** Column names by what they hold, in order of preference; compared without case. */
export const DATASET_COLUMNS = {
  text: ['sentence', 'text', 'sentence1', 'premise', 'question', 'question1', 'review', 'content'],
  textPair: ['text_pair', 'sentence2', 'hypothesis', 'question2', 'text2'],
  file: ['file', 'image', 'audio', 'filename', 'file_name', 'path', 'image_path', 'file1', 'image1'],
  filePair: ['file_pair', 'image_pair', 'file2', 'image2'],
  label: ['label', 'labels', 'class', 'class_index', 'sentiment', 'target'],
  score: ['score', 'similarity', 'similarity_score'],
} as const;

type Column = keyof typeof DATASET_COLUMNS;

export interface ReadDatasetOptions {
  /** File name; its ending chooses the format (`.tsv`, `.csv`, `.jsonl`, `.ndjson`, `.txt`) and messages name it. */
  readonly file: string;
}

/** What a table's examples are: a text or a pair of them, or the path of an image or a sound as it is written. */
interface Kind<Input extends RunnerInput> {
  /** The column that every example has. */
  readonly column: 'text' | 'file';
  /** The input of one example; undefined where its column is empty. */
  readonly read: (field: Field) => Input | undefined;
}

type Field = (column: Column) => string | undefined;

const TEXTS: Kind<TextInput> = {
  column: 'text',
  read: (field) => {
    const text = field('text');
    const textPair = field('textPair');
    if (text === undefined || text.trim() === '') return undefined;
    return textPair === undefined ? { text } : { text, textPair };
  },
};

const FILES: Kind<FileInput> = {
  column: 'file',
  read: (field) => {
    const file = field('file')?.trim();
    const filePair = field('filePair')?.trim();
    if (!file) return undefined;
    return filePair ? { file, filePair } : { file };
  },
};

/**
 * Reads examples of texts. TSV and CSV need a header line unless they have one or two columns without any known name: these are
 * text, then label. JSONL has one object a line with the same names; its label may be a list. TXT has one text a line,
 * without labels.
 * @throws CompilerError `bad-file` naming file and line.
 */
export function readDataset(bytes: Uint8Array, options: ReadDatasetOptions): Dataset {
  return read(bytes, options, TEXTS);
}

/** Reads examples of images or sounds from the same kinds of files; paths are as the file has them. In TXT each line is a path. */
export function readFileTable(bytes: Uint8Array, options: ReadDatasetOptions): Dataset<FileInput> {
  return read(bytes, options, FILES);
}

function read<Input extends RunnerInput>(
  bytes: Uint8Array,
  { file }: ReadDatasetOptions,
  kind: Kind<Input>,
): Dataset<Input> {
  const text = decode(bytes, file);
  const examples = readExamples(text, file, kind);
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

function readExamples<Input extends RunnerInput>(
  text: string,
  file: string,
  kind: Kind<Input>,
): readonly Example<Input>[] {
  const ending = /\.([a-z0-9]+)$/i.exec(file)?.[1]?.toLowerCase();
  switch (ending) {
    case 'tsv':
      return fromRows(parseDelimited(text, { delimiter: '\t', file }), file, kind);
    case 'csv':
      return fromRows(parseDelimited(text, { delimiter: csvDelimiter(text), file }), file, kind);
    case 'jsonl':
    case 'ndjson':
      return fromJsonLines(text, file, kind);
    case 'txt':
      return fromLines(text, file, kind);
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

function fromRows<Input extends RunnerInput>(
  rows: readonly DelimitedRow[],
  file: string,
  kind: Kind<Input>,
): readonly Example<Input>[] {
  const first = rows[0];
  if (!first) return [];
  const named = findColumns(first.fields, kind.column);
  const columns = named ?? bareColumns(first, file, kind.column);
  const width = first.fields.length;
  return rows.slice(named ? 1 : 0).map(({ line, fields }) => {
    if (fields.length !== width)
      throw problem(file, line, `has ${countOf(fields.length)} where the first line has ${width}`);
    return toExample((column) => fields[columns[column] ?? -1], line, file, kind);
  });
}

function countOf(fields: number): string {
  return fields === 1 ? '1 field' : `${fields} fields`;
}

type ColumnIndex = Partial<Record<Column, number>>;

/** Where each known column stands; undefined when the line is no header with the needed column. */
function findColumns(header: readonly string[], needed: Column): ColumnIndex | undefined {
  const names = header.map((name) => name.trim().toLowerCase());
  const columns: ColumnIndex = {};
  for (const column of Object.keys(DATASET_COLUMNS) as Column[]) {
    const name = DATASET_COLUMNS[column].find((candidate) => names.includes(candidate));
    if (name !== undefined) columns[column] = names.indexOf(name);
  }
  // Beside files the only other column is their class, whatever its name: `file,person`.
  const isAlone = needed === 'file' && names.length === 2 && Object.keys(columns).length === 1;
  if (isAlone && columns.file !== undefined) columns.label = 1 - columns.file;
  return columns[needed] === undefined ? undefined : columns;
}

function bareColumns({ line, fields }: DelimitedRow, file: string, needed: 'text' | 'file'): ColumnIndex {
  const [first, second] = fields;
  if (fields.length === 1) return { [needed]: 0 };
  if (fields.length === 2 && !isKnownName(first) && !isKnownName(second)) return { [needed]: 0, label: 1 };
  const pairs = needed === 'text' ? '; for pairs also text_pair, score' : '';
  throw problem(
    file,
    line,
    `has no known ${needed} column among ${fields.map((name) => `'${name}'`).join(', ')}`,
    `Name the columns in the first line: ${DATASET_COLUMNS[needed].slice(0, 2).join(' or ')}, label${pairs}.`,
  );
}

/** Whether a field of the first line names a column: the line is a header, if not the one that is needed. */
function isKnownName(field = ''): boolean {
  const name = field.trim().toLowerCase();
  return Object.values(DATASET_COLUMNS).some((names) => names.some((each) => each === name));
}

function fromJsonLines<Input extends RunnerInput>(
  text: string,
  file: string,
  kind: Kind<Input>,
): readonly Example<Input>[] {
  return text.split(/\r\n|\n|\r/).flatMap((source, index) => {
    if (source.trim() === '') return [];
    const line = index + 1;
    return [fromObject(parseObject(source, line, file), line, file, kind)];
  });
}

function fromObject<Input extends RunnerInput>(
  object: object,
  line: number,
  file: string,
  kind: Kind<Input>,
): Example<Input> {
  const fields = new Map(Object.entries(object).map(([key, value]) => [key.toLowerCase(), value as unknown]));
  const nameOf = (column: Column): string =>
    DATASET_COLUMNS[column].find((candidate) => fields.has(candidate)) ?? column;
  const field: Field = (column) => {
    const value = fields.get(nameOf(column)) ?? undefined;
    if (value === undefined || (column === 'label' && Array.isArray(value))) return undefined;
    if (isPlain(value)) return String(value);
    throw problem(file, line, `'${nameOf(column)}' is neither text nor a number`);
  };
  const example = toExample(field, line, file, kind);
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

function fromLines<Input extends RunnerInput>(
  text: string,
  file: string,
  kind: Kind<Input>,
): readonly Example<Input>[] {
  return text
    .split(/\r\n|\n|\r/)
    .flatMap((each, index) =>
      each.trim() === ''
        ? []
        : toExample((column) => (column === kind.column ? each.trim() : undefined), index + 1, file, kind),
    );
}

function toExample<Input extends RunnerInput>(
  field: Field,
  line: number,
  file: string,
  { column, read: readInput }: Kind<Input>,
): Example<Input> {
  const input = readInput(field);
  if (input === undefined) throw problem(file, line, `has no ${column}`);
  const label = field('label')?.trim();
  const score = field('score');
  if (score !== undefined && (score.trim() === '' || !Number.isFinite(Number(score))))
    throw problem(file, line, `the score '${score}' is not a number`);
  return {
    ...input,
    line,
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
