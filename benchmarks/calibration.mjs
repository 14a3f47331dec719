// What calibrating an encoder of MiniLM's shape takes, as one process: ours and onnxruntime's ways.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { runToEnd } from './lib/children.mjs';
import { describeMachine } from './lib/machine.mjs';
import { modelFolder } from './lib/models.mjs';
import { note, printTable, short, writeResult } from './lib/report.mjs';
import { median } from './lib/statistics.mjs';

const SHAPE = 'minilm';
const TOKENS = 32;
const OURS = { examples: 256, runs: 3 };
/** All examples at once, as quantize_static does by itself, until memory ends; and a part of them at a time. */
const THEIRS = ['minmax', 'entropy', 'percentile'].flatMap((method) => [
  { method, examples: 32, stride: 32 },
  { method, examples: 256, stride: 256 },
  { method, examples: 256, stride: 32 },
]);
const inRepo = (/** @type {string} */ path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const THEIR_RESULTS = inRepo('oracles/results/calibration.json');

/** @typedef {{ process: string, examples: number, atOnce: number, seconds?: number, cpuSeconds?: number, peakBytes: number, error?: string }} Row */

/** @param {import('./run.mjs').Options} options */
export async function run(options) {
  const folder = modelFolder(options, SHAPE);
  const model = join(folder, 'model.onnx');
  const ours = await measureOurs(folder);
  const theirs = options.oracle ? await measureTheirs(options.python, model) : keptRows();
  printTable(
    [ours, ...theirs].map(
      ({ process: label, examples, atOnce, seconds, cpuSeconds, peakBytes, error = '' }) => ({
        process: label,
        examples,
        'at once': atOnce,
        seconds: seconds === undefined ? '' : short(seconds),
        'CPU, ms an example': cpuSeconds === undefined ? '' : short((cpuSeconds * 1000) / examples),
        'peak MB': Math.round(peakBytes / 1e6),
        remark: error,
      }),
    ),
  );
  if (!options.keep) return;
  const barBytes = 2 * statSync(model).size + 200e6;
  writeResult('calibration', { shape: SHAPE, tokens: TOKENS, barBytes, rows: [ours] });
  if (options.oracle) {
    const command = 'node benchmarks/run.mjs calibration --oracle --python ../oracle-venv/bin/python';
    const kept = { command, machine: describeMachine({}), shape: SHAPE, tokens: TOKENS, rows: theirs };
    writeFileSync(THEIR_RESULTS, `${JSON.stringify(kept, null, 2)}\n`);
  }
}

/** Ranges and second moments, on our engine. @param {string} folder @returns {Promise<Row & { runs: object[] }>} */
async function measureOurs(folder) {
  const { examples } = OURS;
  const runs = [];
  for (let count = 0; count < OURS.runs; count++) {
    const args = [inRepo('benchmarks/lib/calibrate-child.mjs'), folder, String(examples), String(TOKENS)];
    const { stdout } = await runToEnd(process.execPath, args);
    runs.push(/** @type {{ seconds: number, cpuSeconds: number, peakBytes: number }} */ (JSON.parse(stdout)));
  }
  return {
    process: 'edgewise',
    examples,
    atOnce: 1,
    seconds: median(runs.map(({ seconds }) => seconds)),
    cpuSeconds: median(runs.map(({ cpuSeconds }) => cpuSeconds)),
    peakBytes: Math.max(...runs.map(({ peakBytes }) => peakBytes)),
    runs,
  };
}

/** @param {string} python @param {string} model @returns {Promise<Row[]>} */
async function measureTheirs(python, model) {
  const rows = [];
  for (const { method, examples, stride } of THEIRS) {
    const args = [model, String(examples), String(TOKENS), method, '--stride', String(stride)];
    const { stdout } = await runToEnd(python, [inRepo('oracles/calibrate.py'), ...args]);
    const measured = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    rows.push({ process: `onnxruntime, ${method}`, examples, atOnce: stride, ...measured });
    note(`${method}, ${examples} examples, ${stride} at once`);
  }
  return rows;
}

/** @returns {Row[]} */
function keptRows() {
  return existsSync(THEIR_RESULTS) ? JSON.parse(readFileSync(THEIR_RESULTS, 'utf8')).rows : [];
}
