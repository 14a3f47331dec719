import { CompilerError } from '../diagnostics/index.ts';

/** One record of a delimited file. `line` is where it starts, counted from 1. */
export interface DelimitedRow {
  readonly line: number;
  readonly fields: readonly string[];
}

export interface DelimitedOptions {
  readonly delimiter: ',' | '\t' | ';';
  /** File name for messages. */
  readonly file: string;
}

/**
 * Splits CSV by RFC 4180 (https://www.rfc-editor.org/rfc/rfc4180): quoted fields may hold delimiters, line breaks and
 * doubled quotes; any of CRLF, LF and CR ends a record; empty lines are skipped.
 * TSV has no quoting of its own (IANA text/tab-separated-values) but spreadsheets write it with CSV's: a tab-separated
 * file is read with quotes, and literally where its quotes do not pair up (as in GLUE's files).
 * Own code because the libraries either lose line numbers or forgive what should be reported.
 * @throws CompilerError `bad-file` with the line of a stray or unclosed quote in CSV.
 */
export function parseDelimited(text: string, options: DelimitedOptions): readonly DelimitedRow[] {
  const source = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  const quoted = parseQuoted(source, options.delimiter);
  if (!('problem' in quoted)) return quoted.rows;
  if (options.delimiter === '\t') return parseLiteral(source);
  throw new CompilerError('bad-file', `${options.file}:${quoted.line}: ${quoted.problem}.`, {
    at: { file: options.file },
    hint: 'Put fields that hold quotes in double quotes and double the quotes inside (RFC 4180).',
  });
}

type Parsed = { readonly rows: DelimitedRow[] } | { readonly problem: string; readonly line: number };

function parseQuoted(text: string, delimiter: string): Parsed {
  const rows: DelimitedRow[] = [];
  let fields: string[] = [];
  let line = 1;
  let rowLine = 1;
  let position = 0;
  while (position < text.length) {
    let field: string;
    if (text[position] === '"') {
      const end = closingQuote(text, position);
      if (end < 0) return { problem: 'a quoted field is not closed', line };
      const inner = text.slice(position + 1, end);
      line += lineBreaks(inner);
      field = inner.replaceAll('""', '"');
      position = end + 1;
      if (position < text.length && text[position] !== delimiter && !isBreak(text[position]))
        return { problem: 'text follows a closing quote', line };
    } else {
      const end = fieldEnd(text, position, delimiter);
      field = text.slice(position, end);
      if (field.includes('"')) return { problem: 'a quote stands inside an unquoted field', line };
      position = end;
    }
    fields.push(field);
    if (text[position] === delimiter) {
      position++;
      if (position === text.length) fields.push(''); // the file ends in a delimiter
      else if (!isBreak(text[position])) continue;
      else fields.push('');
    }
    position += text.startsWith('\r\n', position) ? 2 : 1;
    line++;
    if (fields.length > 1 || fields[0] !== '') rows.push({ line: rowLine, fields });
    fields = [];
    rowLine = line;
  }
  return { rows };
}

function parseLiteral(text: string): DelimitedRow[] {
  return text
    .split(/\r\n|\n|\r/)
    .map((line, index) => ({ line: index + 1, fields: line.split('\t') }))
    .filter(({ fields }) => fields.length > 1 || fields[0] !== '');
}

/** Index of the quote that closes the field opened at `open`, or -1. */
function closingQuote(text: string, open: number): number {
  let end = text.indexOf('"', open + 1);
  while (end >= 0 && text[end + 1] === '"') end = text.indexOf('"', end + 2);
  return end;
}

function fieldEnd(text: string, start: number, delimiter: string): number {
  let end = start;
  while (end < text.length && text[end] !== delimiter && !isBreak(text[end])) end++;
  return end;
}

function isBreak(character: string | undefined): boolean {
  return character === '\n' || character === '\r';
}

function lineBreaks(text: string): number {
  return text.match(/\r\n|\n|\r/g)?.length ?? 0;
}
