// What `quantization` prints of its rows, and which bars they miss.
import { short } from './report.mjs';
import { FLOAT_BOXES } from './subjects/images.mjs';

/**
 * @typedef {import('@edgewise/compiler').Estimate} Estimate
 * @typedef {object} Row
 * @property {string} model
 * @property {'text' | 'vision' | 'audio'} kind
 * @property {string} data
 * @property {string} scheme
 * @property {number} examples
 * @property {number} [bytes]
 * @property {number} [outputDb] signal to noise of the outputs, the float model's being the signal
 * @property {string} [metric]
 * @property {Estimate} [value]
 * @property {Estimate} [drop]
 * @property {readonly string[]} [float] layers
 * @property {readonly string[]} [eightBits] layers
 * @property {readonly number[]} [tried] numbers of such layers that were tried, in this order
 * @property {string} [error] why there is no such model
 * @property {string} [without] what it fails with unless weights are left as they are for biases
 * @typedef {readonly [Row, ...Row[]]} Group rows of one model and data set, the float model's first
 */

/** Largest drops in points. */
export const BARS = { W8: { text: 0.5, audio: 0.5, vision: 1 }, W7: 1, int4: 1 };

/** The scheme where some layers have 8 bits and the others 7. */
export const SOME_EIGHT_BITS = 'edgewise W7, some layers in 8 bits';

/** With 8-bit weights and calibrated activations, by every way to find ranges: as many as onnxruntime's quantizer has settings here. */
const W8 = ['', ', mse', ', minmax', ', percentile', ', entropy'].map((method) => `edgewise W8${method}`);

/** @param {number | undefined} share */
const points = (share) => (share === undefined ? '' : (share * 100).toFixed(2));
/** @param {Row | undefined} row */
const dropOf = (row) => (row?.drop ? 100 * row.drop.value : NaN);

/** @param {Row} row */
export function describeRow({ model, data, scheme, examples, bytes, metric = '', value, drop, ...row }) {
  return {
    model,
    data,
    scheme,
    examples,
    KB: bytes ? short(bytes / 1000) : '',
    'output, dB': row.outputDb?.toFixed(1) ?? '',
    metric,
    '%': points(value?.value),
    'drop, points': points(drop?.value),
    '95 %': drop ? `${points(drop.low)} to ${points(drop.high)}` : '',
    'float layers': row.float?.length ?? 0,
    '8-bit layers': row.eightBits?.length ?? 0,
    remark: row.error ?? (row.without === undefined ? '' : `without adjusted weights; ${row.without}`),
  };
}

/** One line for a model: drop in points and the outputs' signal to noise. @param {Group} rows */
export function describeModel(rows) {
  const [{ model, data, examples, metric = '', value }] = rows;
  const cell = (/** @type {string} */ scheme) => describeCell(rows.find((row) => row.scheme === scheme));
  const ours = bestOf(rows.filter(({ scheme }) => W8.includes(scheme)));
  const theirs = bestOf(rows.filter(isTheirStatic));
  const wide = rows.find(({ scheme }) => scheme === SOME_EIGHT_BITS);
  return {
    model,
    data,
    examples,
    metric,
    'float, %': points(value?.value),
    W8: cell('edgewise W8'),
    'W8, best of four': ours ? `${describeCell(ours)}, ${nameOf(ours)}` : '',
    'W8, dynamic': cell('edgewise W8 dynamic'),
    W7: cell('edgewise W7'),
    'W7, some layers in 8 bits': describeWide(wide),
    int4: cell('edgewise int4'),
    'int4, nearest': cell('edgewise int4, nearest'),
    int3: cell('edgewise int3'),
    'int3, nearest': cell('edgewise int3, nearest'),
    'onnxruntime, defaults': cell('onnxruntime, defaults'),
    'onnxruntime, best': theirs ? `${describeCell(theirs)}, ${nameOf(theirs)}` : '',
    'onnxruntime, dynamic': cell('onnxruntime, per channel, dynamic'),
  };
}

/** What sets it apart. @param {Row} row */
const nameOf = ({ scheme }) => scheme.split(', ').at(-1)?.replace('edgewise W8', 'the default');

/** @param {Row | undefined} row */
function describeCell(row) {
  if (!row) return '';
  if (row.outputDb === undefined) return 'fails';
  return `${row.drop ? `${points(row.drop.value)}, ` : ''}${row.outputDb.toFixed(1)} dB`;
}

/** @param {Row | undefined} row */
const describeWide = (row) => (row ? `${describeCell(row)}, ${row.eightBits?.length ?? 0} in 8 bits` : '');

/** @param {Row} row */
const isTheirStatic = ({ scheme }) => scheme.startsWith('onnxruntime') && !scheme.endsWith('dynamic');

/** The least drop; without labels, the least noise. @param {readonly Row[]} rows */
function bestOf(rows) {
  return rows
    .filter(({ outputDb }) => outputDb !== undefined)
    .toSorted((a, b) => dropOf(a) - dropOf(b) || (b.outputDb ?? 0) - (a.outputDb ?? 0))[0];
}

/** @param {Group} rows @returns {string[]} */
export function missedBars(rows) {
  const [{ model, data, kind, metric }] = rows;
  const find = (/** @type {string} */ name) => rows.find(({ scheme }) => scheme === name);
  const ours = bestOf(rows.filter(({ scheme }) => W8.includes(scheme)));
  const theirs = bestOf(rows.filter(isTheirStatic));
  const [four, nearest] = ['edgewise int4', 'edgewise int4, nearest'].map(find);
  // Where the float model's answers are the golds there is no accuracy that could drop.
  const isLabelled = metric !== FLOAT_BOXES;
  /** @type {[string, number, number][]} what, drop, bar */
  const drops = [
    ['W8 against onnxruntime', dropOf(ours), dropOf(theirs)],
    ...(isLabelled
      ? /** @type {[string, number, number][]} */ ([
          ['W8', dropOf(ours), BARS.W8[kind]],
          // Layers that need 8 bits may be named instead.
          ['W7', dropOf(find(SOME_EIGHT_BITS) ?? find('edgewise W7')), BARS.W7],
          ['int4', dropOf(four), BARS.int4],
        ])
      : []),
  ];
  return [
    ...drops
      // Drops are differences of sums.
      .filter(([, drop, bar]) => drop > bar + 1e-9)
      .map(
        ([what, drop, bar]) =>
          `missed: ${model}, ${data}, ${what}: ${drop.toFixed(2)} instead of ${bar.toFixed(2)}`,
      ),
    ...((four?.outputDb ?? 0) < (nearest?.outputDb ?? 0)
      ? [`missed: ${model}, ${data}, int4 rounded together`]
      : []),
  ];
}
