/**
 * @typedef {object} Summary
 * @property {number} median
 * @property {number} p10
 * @property {number} p90
 * @property {number} least what the machine does when nobody else wants it
 * @property {number} n
 */

/**
 * Linear interpolation between order statistics.
 * @param {readonly number[]} values
 * @param {number} share 0 to 1
 */
export function quantile(values, share) {
  if (values.length === 0) throw new RangeError('quantile: there are no values');
  const sorted = values.toSorted((a, b) => a - b);
  const position = share * (sorted.length - 1);
  const low = sorted[Math.floor(position)] ?? 0;
  const high = sorted[Math.ceil(position)] ?? 0;
  return low + (high - low) * (position - Math.floor(position));
}

/** @param {readonly number[]} values */
export function median(values) {
  return quantile(values, 0.5);
}

/**
 * @param {readonly number[]} values
 * @returns {Summary}
 */
export function summarize(values) {
  return {
    median: round(median(values)),
    p10: round(quantile(values, 0.1)),
    p90: round(quantile(values, 0.9)),
    least: round(Math.min(...values)),
    n: values.length,
  };
}

/**
 * Ratios of times taken in the same round, so that what slows the machine for a while slows both.
 * @param {readonly number[]} ours
 * @param {readonly number[]} peers
 */
export function pairedRatio(ours, peers) {
  return summarize(ours.map((value, round) => value / (peers[round] ?? NaN)));
}

/** The quickest of one against the quickest of the other: steadier than the ratio per round on a busy machine.
 * @param {readonly number[]} ours @param {readonly number[]} peers */
export function leastRatio(ours, peers) {
  return round(Math.min(...ours) / Math.min(...peers));
}

/** Four significant digits: more than any of these measurements has. @param {number} value */
export function round(value) {
  return Number(value.toPrecision(4));
}
