// Quantized models for text, images and sound against their float models: our recipes and onnxruntime's quantizers, on the same data.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { ourCandidates } from './lib/candidates.mjs';
import { openOnnx } from './lib/onnxruntime.mjs';
import { theirCandidates } from './lib/quantize-static.mjs';
import { BARS, describeModel, describeRow, missedBars } from './lib/quantization-report.mjs';
import { note, printTable, writeResult } from './lib/report.mjs';
import { openSubjects } from './lib/subjects/index.mjs';
import { score, signalToNoise } from './lib/subjects/subject.mjs';

const OURS = fileURLToPath(new URL('results/quantization.json', import.meta.url));
const THEIRS = fileURLToPath(new URL('../oracles/results/quantize_static.json', import.meta.url));
const COMMAND = 'node benchmarks/run.mjs quantization --oracle --python ../oracle-venv/bin/python';

/**
 * @typedef {import('./lib/subjects/subject.mjs').Subject} Subject
 * @typedef {import('./lib/candidates.mjs').Candidate} Candidate
 * @typedef {import('./lib/quantization-report.mjs').Row} Row
 */

/** @param {import('./run.mjs').Options} options */
export async function run(options) {
  /** @type {Row[]} */
  const ours = [];
  /** @type {Row[]} */
  const theirs = [];
  for await (const subject of openSubjects(options)) {
    const measure = await measureAgainst(subject);
    ours.push(await measure(floatCandidate(subject)));
    const dropOf = async (/** @type {Candidate} */ candidate) =>
      100 * ((await measure(candidate)).drop?.value ?? NaN);
    for (const { rows, list } of [
      { rows: ours, list: ourCandidates(subject, options.parts, dropOf) },
      ...(options.oracle ? [{ rows: theirs, list: theirCandidates(subject, options.python) }] : []),
    ])
      for await (const candidate of list) {
        rows.push(await measure(candidate));
        note(`${subject.name}, ${subject.data}, ${candidate.scheme}`);
      }
    if (options.keep) keep(ours, theirs);
  }
  const subjects = new Set(ours.map(subjectOf));
  const rows = [...ours, ...merge(THEIRS, theirs)].filter((row) => subjects.has(subjectOf(row)));
  const groups = [...subjects].map(
    (subject) =>
      /** @type {import('./lib/quantization-report.mjs').Group} */ (
        /** @type {unknown} */ (rows.filter((row) => subjectOf(row) === subject))
      ),
  );
  if (options.parts) printTable(groups.flat().map(describeRow));
  printTable(groups.map(describeModel));
  for (const line of groups.flatMap(missedBars)) process.stdout.write(`${line}\n`);
}

/** Keeps what is measured so far. @param {readonly Row[]} ours @param {readonly Row[]} theirs */
function keep(ours, theirs) {
  writeResult('quantization', { bars: BARS, rows: merge(OURS, ours) });
  if (theirs.length === 0) return;
  writeFileSync(THEIRS, `${JSON.stringify({ command: COMMAND, rows: merge(THEIRS, theirs) }, null, 2)}\n`);
}

/** The rows that a file keeps, with what was measured anew in their place. @param {string} file @param {readonly Row[]} rows @returns {Row[]} */
function merge(file, rows) {
  const key = (/** @type {Row} */ { model, data, scheme }) => `${model}, ${data}, ${scheme}`;
  const measured = new Set(rows.map(key));
  const kept = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).rows : [];
  return [...kept.filter((/** @type {Row} */ row) => !measured.has(key(row))), ...rows];
}

/** @param {Subject} subject @returns {Candidate} */
function floatCandidate({ file, states }) {
  return { scheme: 'float', bytes: statSync(file).size, open: () => openOnnx(file, states) };
}

/** What measures a candidate against the float model. @param {Subject} subject */
async function measureAgainst(subject) {
  const { name: model, kind, data, examples, states = {}, measure } = subject;
  const float = await outputsOf(subject, floatCandidate(subject));
  const answers = measure?.answers(float);
  /** @type {WeakMap<Candidate, Row>} */
  const known = new WeakMap();
  /** @param {Candidate} candidate @returns {Promise<Row>} */
  const rowOf = async (candidate) => {
    const { open: _open, ...described } = candidate;
    const row = { model, kind, data, examples, ...described };
    if (row.error !== undefined) return row;
    const outputs = await outputsOf(subject, candidate);
    return {
      ...row,
      outputDb: signalToNoise(float, outputs, Object.values(states)),
      ...(measure &&
        answers && { metric: measure.label, ...score(measure, answers, measure.answers(outputs)) }),
    };
  };
  return async (/** @type {Candidate} */ candidate) => {
    const row = known.get(candidate) ?? (await rowOf(candidate));
    known.set(candidate, row);
    return row;
  };
}

/** @param {Subject} subject @param {Candidate} candidate */
async function outputsOf({ inputs }, { open }) {
  const runner = await open();
  const outputs = [];
  for (const feed of inputs) outputs.push(await runner.run(feed));
  await runner.close();
  return outputs;
}

/** @param {Row} row */
const subjectOf = ({ model, data }) => `${model}, ${data}`;
