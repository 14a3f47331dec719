import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { describeMachine } from './machine.mjs';

/** @typedef {Readonly<Record<string, string | number>>} Row */

/**
 * Prints rows under their keys; numbers to the right.
 * @param {readonly Row[]} rows
 */
export function printTable(rows) {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cell = (/** @type {Row} */ row, /** @type {string} */ column) => String(row[column] ?? '');
  const widths = columns.map((column) =>
    Math.max(column.length, ...rows.map((row) => cell(row, column).length)),
  );
  const line = (/** @type {(column: string, width: number) => string} */ format) =>
    `${columns.map((column, index) => format(column, widths[index] ?? 0)).join('  ')}\n`.replace(
      / +\n$/,
      '\n',
    );
  process.stdout.write(line((column, width) => column.padEnd(width)));
  process.stdout.write(line((_, width) => '-'.repeat(width)));
  for (const row of rows) {
    process.stdout.write(
      line((column, width) =>
        typeof row[column] === 'number' ? cell(row, column).padStart(width) : cell(row, column).padEnd(width),
      ),
    );
  }
}

/**
 * Keeps a result as benchmarks/results/NAME.json, with the machine that made it.
 * @param {string} name
 * @param {Readonly<Record<string, unknown>>} result
 * @param {Readonly<Record<string, string>>} [versions] what `describeMachine` cannot know, for example the browser's
 */
export function writeResult(name, result, versions = {}) {
  const folder = fileURLToPath(new URL('../results/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const machine = describeMachine(versions);
  writeFileSync(
    join(folder, `${name}.json`),
    `${JSON.stringify({ benchmark: name, machine, ...result }, null, 2)}\n`,
  );
}

/** The rows that results/NAME.json has, to keep those of cases that are not measured again. @param {string} name @returns {readonly any[]} */
export function previousRows(name) {
  const file = fileURLToPath(new URL(`../results/${name}.json`, import.meta.url));
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).rows : [];
}

/** Progress, on stderr so that the table alone is on stdout. @param {string} text */
export function note(text) {
  process.stderr.write(`${text}\n`);
}

/** `1.23 (1.20–1.31)`: median and the middle four fifths. @param {import('./statistics.mjs').Summary} summary */
export function spread({ median, p10, p90 }) {
  return `${short(median)} (${short(p10)}–${short(p90)})`;
}

/** Three significant digits. @param {number} value */
export function short(value) {
  return String(Number(value.toPrecision(3)));
}
