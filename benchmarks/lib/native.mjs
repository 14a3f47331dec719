// Our engine in Node and in Chromium against native onnxruntime, one thread each, taking turns.
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { runToEnd } from './children.mjs';
import { NATIVE } from './native-child.mjs';
import { note, printTable, short, spread, writeResult } from './report.mjs';
import { leastRatio, pairedRatio, summarize } from './statistics.mjs';

/**
 * @typedef {object} Comparison
 * @property {string} benchmark its name
 * @property {string} child the script beside this one that measures a case: CHILD FOLDER NAME SCALE
 * @property {string} folder of the models
 * @property {readonly string[]} names of the cases
 * @property {number} bar largest ratio to native onnxruntime
 * @property {Readonly<Record<string, number>>} [facts] of every case
 * @typedef {{ onnxruntimeModel: string, modes: object, chromium: string, times: Record<string, number[]> }} Measured what a child prints
 */

/**
 * Each case in a process of its own: in one that had held other models before, our engine in Node was seen to run at half its
 * speed.
 * @param {import('../run.mjs').Options} options @param {Comparison} comparison
 */
export async function compareWithNative(options, { benchmark, child, folder, names, bar, facts = {} }) {
  const script = fileURLToPath(new URL(child, import.meta.url));
  const cases = [];
  let version = '';
  for (const name of names) {
    note(name);
    const { stdout } = await runToEnd(process.execPath, [script, folder, name, String(options.scale)]);
    /** @type {Measured} */
    const { chromium, times, ...rest } = JSON.parse(stdout);
    version = chromium;
    const native = times[NATIVE] ?? [];
    cases.push({
      model: name,
      ...rest,
      engines: Object.entries(times).map(([engine, values]) => ({
        engine,
        ms: summarize(values),
        ratio: pairedRatio(values, native),
        leastRatio: leastRatio(values, native),
        bar: engine === NATIVE ? undefined : bar,
      })),
    });
  }
  printTable(
    cases.flatMap(({ model, engines }) =>
      engines.map(({ engine, ms, ratio, leastRatio: least }) => ({
        model,
        ...facts,
        engine,
        'ms (p10–p90)': spread(ms),
        ratio: engine === NATIVE ? '' : spread(ratio),
        'of least': engine === NATIVE ? '' : short(least),
        bar: engine === NATIVE ? '' : bar,
      })),
    ),
  );
  if (options.keep) writeResult(benchmark, { threads: 1, ...facts, cases }, { chromium: version });
}
