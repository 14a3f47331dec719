// What a pruned model costs and saves against the model that it was made of.
import { performance } from 'node:perf_hooks';
import { clopperPearson, pairedAccuracyDrop } from '@edgewise/compiler';
import { printTable, spread } from './report.mjs';
import { pairedRatio } from './statistics.mjs';

const ROUNDS = 20;

/**
 * @typedef {import('@edgewise/compiler').Estimate} Estimate
 * @typedef {object} Measured A model that has answered all examples.
 * @property {import('@edgewise/runtime').Session} session
 * @property {readonly Readonly<Record<string, ArrayLike<number>>>[]} timed inputs that time is measured on
 * @property {readonly boolean[]} correct
 * @property {readonly number[]} logits of all examples, one after the other
 * @property {number} bytes of the weights
 * @property {string} removed
 * @property {() => void} close
 * @typedef {Record<string, unknown> & { model: string, pruned: string, repair: string, removed: string, bytes: number, accuracy: Estimate, drop: Estimate, outputError: number, latency: import('./statistics.mjs').Summary }} Row
 */

/**
 * @param {string} model @param {string} pruned @param {string} repair
 * @param {Measured} variant @param {Measured} float @param {number} scale
 * @returns {Promise<Row>}
 */
export async function rowOf(model, pruned, repair, variant, float, scale) {
  const right = variant.correct.filter(Boolean).length;
  const [times, floatTimes] = /** @type {[number[], number[]]} */ ([[], []]);
  for (let round = 0; round < Math.ceil(ROUNDS * scale); round++) {
    floatTimes.push(await timeOf(float));
    times.push(await timeOf(variant));
  }
  return {
    model,
    pruned,
    repair,
    removed: variant.removed,
    bytes: variant.bytes,
    accuracy: clopperPearson(right, variant.correct.length),
    drop: pairedAccuracyDrop(float.correct, variant.correct),
    outputError: relativeError(variant.logits, float.logits),
    latency: pairedRatio(times, floatTimes),
  };
}

/** @param {readonly Row[]} rows */
export function printPruned(rows) {
  const points = (/** @type {number} */ share) => (share * 100).toFixed(2);
  printTable(
    rows.map(({ model, pruned, repair, bytes, accuracy, drop, outputError, latency }) => ({
      model,
      pruned,
      repair,
      'accuracy, %': points(accuracy.value),
      '95 %': `${points(accuracy.low)}–${points(accuracy.high)}`,
      'drop, points': points(drop.value),
      '95 % ': `${points(drop.low)}–${points(drop.high)}`,
      'output error, %': points(outputError),
      'weights, MB': (bytes / 1e6).toFixed(2),
      'of the time': spread(latency),
    })),
  );
}

/** Root of the squared differences over the root of the squares. @param {readonly number[]} values @param {readonly number[]} expected */
function relativeError(values, expected) {
  const squares = (/** @type {(value: number, at: number) => number} */ of) =>
    values.reduce((sum, value, at) => sum + of(value, at) ** 2, 0);
  return Math.sqrt(
    squares((value, at) => value - (expected[at] ?? NaN)) / squares((_, at) => expected[at] ?? NaN),
  );
}

/** Milliseconds for some inputs, one after the other. @param {Measured} measured */
async function timeOf({ session, timed }) {
  const start = performance.now();
  for (const input of timed) await session.run(input);
  return performance.now() - start;
}
