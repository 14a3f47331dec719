// Our engine in Node and in Chromium against native onnxruntime, one thread each, taking turns.
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { runToEnd } from './lib/children.mjs';
import { NATIVE, TOKENS } from './lib/native-engines.mjs';
import { note, printTable, short, spread, writeResult } from './lib/report.mjs';
import { SHAPES } from './lib/shapes.mjs';
import { leastRatio, pairedRatio, summarize } from './lib/statistics.mjs';

/** Largest ratio to native onnxruntime. */
const BAR = 2.2;

/** @typedef {{ onnxruntimeModel: string, modes: object, chromium: string, times: Record<string, number[]> }} Measured */

/** @param {import('./run.mjs').Options} options */
export async function run(options) {
  const child = fileURLToPath(new URL('lib/native-child.mjs', import.meta.url));
  const cases = [];
  let version = '';
  for (const { name } of SHAPES.filter((shape) => shape.name.includes(options.only ?? ''))) {
    note(name);
    const { stdout } = await runToEnd(process.execPath, [child, options.models, name, String(options.scale)]);
    /** @type {Measured} */
    const { chromium, times, ...rest } = JSON.parse(stdout);
    version = chromium;
    const native = times[NATIVE] ?? [];
    cases.push({
      shape: name,
      ...rest,
      engines: Object.entries(times).map(([engine, values]) => ({
        engine,
        ms: summarize(values),
        ratio: pairedRatio(values, native),
        leastRatio: leastRatio(values, native),
        bar: engine === NATIVE ? undefined : BAR,
      })),
    });
  }
  printTable(
    cases.flatMap(({ shape, engines }) =>
      engines.map(({ engine, ms, ratio, leastRatio: least }) => ({
        shape,
        tokens: TOKENS,
        engine,
        'ms (p10–p90)': spread(ms),
        ratio: engine === NATIVE ? '' : spread(ratio),
        'of least': engine === NATIVE ? '' : short(least),
        bar: engine === NATIVE ? '' : BAR,
      })),
    ),
  );
  if (options.keep) writeResult('native', { threads: 1, tokens: TOKENS, cases }, { chromium: version });
}
