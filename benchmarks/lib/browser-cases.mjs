// Models that every browser engine runs: ours against onnxruntime-web's.
import { edgewisePackage } from './edgewise.mjs';
import { tokenIds } from './inputs.mjs';
import { int8Variants, modelFolder } from './models.mjs';
import { measureEngines, openEngines, outputBits } from './page.mjs';
import { SHAPES, VOCABULARY } from './shapes.mjs';
import { leastRatio, pairedRatio, summarize } from './statistics.mjs';
import { NETWORKS } from './vision.mjs';
import { prepare, visionEngines } from '../vision-latency.mjs';

const OURS = 'edgewise';
const TOKENS = 128;
const WARM_UP = 3;

/**
 * @typedef {'relaxed' | 'simd'} Rung
 * @typedef {object} BrowserCase
 * @property {string} model
 * @property {number} rounds
 * @property {readonly { label: string, options?: { rung?: Rung } }[]} specs engines of pages/bench.mjs
 * @property {{ ids: readonly number[], text: string }} input
 * @typedef {Awaited<ReturnType<typeof measureCase>>} CaseResult
 */

/** MiniLM's shape; onnxruntime-web has every int8 form of it. @param {import('../run.mjs').Options} options @returns {Promise<BrowserCase>} */
export async function encoderCase(options) {
  const [shape] = SHAPES;
  if (!shape) throw new Error('there are no shapes');
  const { name, task, inputs, output } = shape;
  const folder = modelFolder(options, name);
  const { id } = await edgewisePackage({ folder, name, task, recipe: 'w7a8-dynamic' });
  const onnx = int8Variants(folder).map((file) => {
    const url = `/models/${name}/${file}`;
    return { session: 'onnxruntime', label: `onnxruntime-web ${file}`, url, inputs, output };
  });
  const ours = /** @type {const} */ (['relaxed', 'simd']).map((rung) => {
    const url = `/packages/${id}`;
    return { session: 'edgewise', label: `${OURS} int8-w7, ${rung}`, url, inputs, output, options: { rung } };
  });
  const [, simd] = ours;
  const threaded = { ...simd, label: `${OURS} int8-w7, simd, two threads`, threads: 2 };
  return {
    model: `${name}, ${TOKENS} tokens`,
    rounds: Math.ceil(12 * options.scale),
    specs: [...onnx, ...ours, threaded],
    input: { ids: tokenIds(TOKENS, VOCABULARY), text: '' },
  };
}

/** MobileNetV2. @param {import('../run.mjs').Options} options @param {string} folder which the page sees as /vision @returns {Promise<BrowserCase>} */
export async function visionCase(options, folder) {
  const network = NETWORKS.find(({ name }) => name.startsWith('mobilenet_v2'));
  const shape = network && (await prepare(network, folder));
  if (!shape) throw new Error('our engine does not run MobileNetV2');
  return {
    model: network.name,
    rounds: Math.ceil(30 * options.scale),
    specs: visionEngines(network.name, shape),
    input: { ids: [], text: '' },
  };
}

/**
 * Runs a case in the bench page; ratios are to onnxruntime-web's quickest.
 * @param {import('./page.mjs').Evaluator} page @param {BrowserCase} given @param {readonly Rung[]} rungs that the browser has
 */
export async function measureCase(page, { model, rounds, specs, input }, rungs) {
  const opened = await openEngines(
    page,
    specs.filter(({ options }) => !options?.rung || rungs.includes(options.rung)),
  );
  const times = await measureEngines(page, input, { rounds, warmUp: WARM_UP });
  // After measuring: what runs now is what the browser's best compiler made.
  const bits = await outputBits(page, input);
  const isOurs = (/** @type {string} */ label) => label.startsWith(OURS);
  const least = (/** @type {string} */ label) => Math.min(...(times[label] ?? []));
  const [rival = ''] = Object.keys(times)
    .filter((label) => !isOurs(label))
    .toSorted((a, b) => least(a) - least(b));
  return {
    model,
    rival,
    bits: Object.fromEntries(Object.entries(bits).filter(([label]) => isOurs(label))),
    engines: opened.map(({ label, info }) => ({
      engine: label,
      ...(typeof info['mode'] === 'string' && { mode: info['mode'] }),
      ms: summarize(times[label] ?? []),
      ratio: pairedRatio(times[label] ?? [], times[rival] ?? []),
      least: leastRatio(times[label] ?? [], times[rival] ?? []),
    })),
  };
}
