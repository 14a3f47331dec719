// Two threads against one, both sessions in workers.
import { openEngines } from './page.mjs';
import { printTable, short, spread } from './report.mjs';
import { leastRatio, pairedRatio, summarize } from './statistics.mjs';

export const ONE = 'one thread';
export const TWO = 'two threads';
export const AUTO = 'as the engine chooses';

/** @typedef {Awaited<ReturnType<typeof openThreads>>} Opened */

/** Opens a package three times. @param {import('playwright-core').Page} page @param {object} spec of a session of ours */
export function openThreads(page, spec) {
  return openEngines(page, [
    { ...spec, label: ONE, threads: 1, options: { worker: true } },
    { ...spec, label: TWO, threads: 2 },
    { ...spec, label: AUTO, options: { worker: true, threads: 'auto' } },
  ]);
}

/** @param {Opened} opened @param {Record<string, number[]>} times @param {Record<string, number>} [bars] least speed-ups by engine */
export function threadSpeeds(opened, times, bars = {}) {
  const of = (/** @type {string} */ label) => times[label] ?? [];
  return opened.map(({ label, info }) => ({
    engine: label,
    threads: info['threads'],
    mode: info['mode'],
    ms: summarize(of(label)),
    speedUp: pairedRatio(of(ONE), of(label)),
    leastSpeedUp: leastRatio(of(ONE), of(label)),
    bar: bars[label],
  }));
}

/** @param {{ facts: object, engines: ReturnType<typeof threadSpeeds> }[]} cases `facts`: first columns by title */
export function printThreads(cases) {
  printTable(
    cases.flatMap(({ facts, engines }) =>
      engines.map(({ engine, ms, speedUp, leastSpeedUp, bar }) => ({
        ...facts,
        engine,
        'ms (p10–p90)': spread(ms),
        'speed-up': engine === ONE ? '' : spread(speedUp),
        'of least': engine === ONE ? '' : short(leastSpeedUp),
        bar: bar ?? '',
      })),
    ),
  );
}
