// Dynamic quantization as a whole process, time and peak memory: ours (ONNX file to package) and onnxruntime's Python.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { runToEnd } from './lib/children.mjs';
import { CACHE, modelFolder } from './lib/models.mjs';
import { note, printTable, short, spread, writeResult } from './lib/report.mjs';
import { SHAPES } from './lib/shapes.mjs';
import { pairedRatio, round, summarize } from './lib/statistics.mjs';

const OURS = 'edgewise, ONNX to package, 7 bits per channel';
const PLAIN = 'onnxruntime quantize_dynamic';
const PER_CHANNEL = 'onnxruntime quantize_dynamic, 7 bits per channel';
const ROUNDS = 5;

/** @param {import('./run.mjs').Options} options */
export async function run(options) {
  const cases = [];
  for (const { name, task } of SHAPES.filter((shape) => shape.name.includes(options.only ?? ''))) {
    const folder = modelFolder(options, name);
    const child = fileURLToPath(new URL('lib/quantize-child.mjs', import.meta.url));
    /** @type {Record<string, () => ReturnType<typeof ours>>} */
    const processes = {
      [OURS]: () => ours([child, folder, name, task]),
      [PLAIN]: () => theirs(options.python, folder, []),
      [PER_CHANNEL]: () => theirs(options.python, folder, ['--per-channel', '--reduce-range']),
    };
    /** @type {Record<string, Awaited<ReturnType<typeof ours>>[]>} */
    const runs = Object.fromEntries(Object.keys(processes).map((label) => [label, []]));
    for (let count = 0; count < Math.max(1, ROUNDS * options.scale); count++) {
      for (const [label, start] of Object.entries(processes)) runs[label]?.push(await start());
      note(`${name}, round ${count + 1}`);
    }
    const values = (/** @type {string} */ label, /** @type {'seconds' | 'cpuSeconds' | 'peakBytes'} */ key) =>
      (runs[label] ?? []).map((entry) => entry[key]);
    cases.push({
      shape: name,
      modelBytes: statSync(join(folder, 'model.onnx')).size,
      processes: Object.keys(runs).map((label) => ({
        process: label,
        seconds: summarize(values(label, 'seconds')),
        cpuSeconds: summarize(values(label, 'cpuSeconds')),
        peakMegabytes: round(Math.max(...values(label, 'peakBytes')) / 1e6),
        timeRatio: pairedRatio(values(OURS, 'seconds'), values(label, 'seconds')),
        memoryRatio: pairedRatio(values(OURS, 'peakBytes'), values(label, 'peakBytes')),
      })),
    });
  }
  printTable(
    cases.flatMap(({ shape, processes }) =>
      processes.map(({ process: label, seconds, cpuSeconds, peakMegabytes, timeRatio, memoryRatio }) => ({
        shape,
        process: label,
        's (p10–p90)': spread(seconds),
        'CPU s': short(cpuSeconds.median),
        'peak MB': peakMegabytes,
        'our time ÷ its': label === OURS ? '' : short(timeRatio.median),
        'our memory ÷ its': label === OURS ? '' : short(memoryRatio.median),
      })),
    ),
  );
  if (options.keep) writeResult('quantize', { cases });
}

/** @param {readonly string[]} args */
async function ours(args) {
  const { seconds, stdout } = await runToEnd(process.execPath, args);
  /** @type {{ peakBytes: number, cpuSeconds: number }} */
  const usage = JSON.parse(stdout);
  return { seconds, ...usage };
}

/**
 * The script starts the measured process itself and reports on it.
 * @param {string} python @param {string} folder @param {readonly string[]} flags
 */
async function theirs(python, folder, flags) {
  const script = fileURLToPath(new URL('../oracles/quantize_dynamic.py', import.meta.url));
  const args = [script, join(folder, 'model.onnx'), join(CACHE, 'quantized.onnx'), '--runs', '1', ...flags];
  const { stdout } = await runToEnd(python, args);
  /** @type {{ processSeconds: { median: number }, cpuSeconds: { median: number }, peakBytes: number }} */
  const { processSeconds, cpuSeconds, peakBytes } = JSON.parse(stdout);
  return { seconds: processSeconds.median, cpuSeconds: cpuSeconds.median, peakBytes };
}
