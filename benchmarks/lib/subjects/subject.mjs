import { bootstrapDrop, clopperPearson, pairedAccuracyDrop } from '@edgewise/compiler';

/**
 * A model with what measures its quality and what calibrates it.
 * @typedef {object} Subject
 * @property {string} name
 * @property {'text' | 'vision' | 'audio'} kind
 * @property {'encoder' | 'conv-net' | 'audio-net'} recipes which of ours fit it
 * @property {string} file the float model
 * @property {string} data
 * @property {readonly Feed[]} inputs
 * @property {readonly Feed[]} calibration samples that are not measured
 * @property {number} examples images, sentences or clips that the inputs make up
 * @property {Readonly<Record<string, string>>} [states] outputs that are inputs of the next run, by input
 * @property {Measure} [measure] undefined: there are no labels
 *
 * @typedef {object} Measure
 * @property {string} label
 * @property {import('@edgewise/compiler').Metric} metric
 * @property {(outputs: readonly Outputs[]) => Answer[]} answers one for each gold
 * @property {(float: readonly Answer[]) => readonly Answer[]} golds
 *
 * @typedef {import('../onnxruntime.mjs').Feed} Feed
 * @typedef {import('../onnxruntime.mjs').Outputs} Outputs
 * @typedef {Parameters<typeof bootstrapDrop>[1][number]} Answer
 * @typedef {import('@edgewise/compiler').Estimate} Estimate
 */

/** Where the mean average precision of so many images would take minutes. */
const RESAMPLES = 500;

/**
 * Value and drop from float with 95 % intervals: exact for shares, bootstrapped for other metrics, of which the value has none.
 * @param {Measure} measure @param {readonly Answer[]} float @param {readonly Answer[]} answers
 * @returns {{ value: Estimate, drop: Estimate }}
 */
export function score({ metric, golds: goldsOf }, float, answers) {
  const golds = goldsOf(float);
  const { isRight } = metric;
  if (!isRight) {
    const value = metric.over(answers, golds)([...golds.keys()]);
    return {
      value: { value, low: NaN, high: NaN },
      drop: bootstrapDrop(metric, float, answers, golds, { resamples: RESAMPLES }),
    };
  }
  const [before = [], after = []] = [float, answers].map((all) =>
    golds.map((gold, i) => isRight(all[i], gold)),
  );
  return {
    value: clopperPearson(after.filter(Boolean).length, after.length),
    drop: pairedAccuracyDrop(before, after),
  };
}

/** @param {ArrayLike<number>} scores */
export function argmax(scores) {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if ((scores[i] ?? 0) > (scores[best] ?? 0)) best = i;
  return best;
}

/** The class with the highest score of the first output. @param {Outputs} outputs */
export const firstClass = (outputs) => argmax(Object.values(outputs)[0]?.data ?? []);

/**
 * Ratio of signal to noise of each output over all runs, in dB; the mean over the outputs. The signal is what differs from the output's mean.
 * @param {readonly Outputs[]} float @param {readonly Outputs[]} actual @param {readonly string[]} states outputs that are not counted
 */
export function signalToNoise(float, actual, states) {
  const names = Object.keys(float[0] ?? {}).filter((name) => !states.includes(name));
  const ratios = names.map((name) => {
    let [sum, squares, noise, count] = [0, 0, 0, 0];
    for (const [i, outputs] of float.entries()) {
      const [expected, found] = [outputs[name]?.data ?? [], actual[i]?.[name]?.data ?? []];
      for (let j = 0; j < expected.length; j++) {
        const value = expected[j] ?? 0;
        sum += value;
        squares += value ** 2;
        noise += (value - (found[j] ?? NaN)) ** 2;
      }
      count += expected.length;
    }
    return 10 * Math.log10((squares - sum ** 2 / count) / noise);
  });
  return ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
}
