// What rounding weights together (GPTQ) wins over rounding each to its nearest: encoders on our engine, image networks on onnxruntime-node.
// And what calibration takes.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { Tokenizer } from '@huggingface/tokenizers';
import {
  classExamples,
  compactConvNet,
  compactEncoder,
  compileEdge,
  expandEdgewise,
  quantizeConvNet,
  quantizeEmbeddings,
  quantizeLinears,
  quantizeWeightsInt4,
  readDataset,
  readOnnx,
  runPasses,
  separateActivations,
  writeOnnx,
} from '@edgewise/compiler';
import { runToEnd } from './lib/children.mjs';
import { DETECTORS, loadCalibrationScenes, loadScenes } from './lib/detectors.mjs';
import { observeOnEngine, openArtifact } from './lib/edgewise.mjs';
import { modelFolder } from './lib/models.mjs';
import { note, printTable, writeResult } from './lib/report.mjs';
import { ASSETS, load, NETWORKS } from './lib/vision.mjs';
import { observe } from './vision-accuracy.mjs';

// Must be set before onnxruntime is loaded.
process.env['ORT_DISABLE_TELEMETRY'] = '1';
const { InferenceSession, Tensor } = await import('onnxruntime-node');

const ENCODERS = ['sst2-tiny', 'sst2-base'];
const LABELS = ['NEGATIVE', 'POSITIVE'];
const MAX_TOKENS = 128;
const CALIBRATION_SENTENCES = 160;
const CALIBRATION_IMAGES = 100;
/** Outputs show on some images what the accuracy of many hardly does; `vision-accuracy` measures that. */
const IMAGES = 200;
const SCENES = 24;
/** What calibration is measured on. */
const EXAMPLES = 256;
const TOKENS = 32;
const CALIBRATION_RUNS = 3;

const inRepo = (/** @type {string} */ path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const DATASETS = [inRepo('../shared/assets/datasets/sst2/dev.tsv'), inRepo('models/sentiment/eval.tsv')];

/**
 * @typedef {import('@edgewise/compiler').Model} Model
 * @typedef {import('@edgewise/compiler').Transform} Transform
 * @typedef {{ model: string, data: string, bits: number, rounding: string, examples: number, outputDb: number, meanError: number, agreement: number, drop: number }} Row `drop` in points
 * @typedef {readonly ArrayLike<number>[]} Answers
 */

/** @param {import('./run.mjs').Options} options */
export async function run(options) {
  const isWanted = (/** @type {string} */ name) => name.includes(options.only ?? '');
  /** @type {Row[]} */
  const rows = [];
  for (const name of ENCODERS.filter(isWanted)) rows.push(...(await encoderRows(options, name)));
  for (const network of NETWORKS.filter(({ name }) => isWanted(name) && name !== 'mnist-8')) {
    const file = join(ASSETS, 'models', network.folder ?? 'vision', `${network.name}.onnx`);
    const calibration = await load(network.calibration().slice(0, CALIBRATION_IMAGES));
    rows.push(
      ...(await networkRows({
        name: network.name,
        file,
        data: network.data,
        calibration,
        inputs: await load(network.images().slice(0, IMAGES)),
      })),
    );
  }
  for (const detector of DETECTORS.filter(({ name }) => isWanted(name) && name === 'yolox_nano')) {
    const file = join(ASSETS, 'models/detection', `${detector.name}.onnx`);
    const inputs = (await loadScenes(detector)).slice(0, SCENES).map((scene) => ({ ...scene, gold: -1 }));
    const calibration = await loadCalibrationScenes(detector);
    rows.push(
      ...(await networkRows({ name: detector.name, file, data: 'coco128-val2017', calibration, inputs })),
    );
  }
  const calibration = isWanted('minilm') ? await measureCalibration(options) : undefined;
  printTable(
    rows.map(({ outputDb, meanError, agreement, drop, ...row }) => ({
      ...row,
      'output, dB': outputDb.toFixed(1),
      'mean error': meanError.toPrecision(2),
      'agree, %': (100 * agreement).toFixed(1),
      'drop, points': Number.isNaN(drop) ? '' : drop.toFixed(2),
    })),
  );
  if (calibration) {
    const { seconds, peakMegabytes, ...rest } = calibration;
    printTable([{ ...rest, seconds: seconds.join(', '), 'peak MB': peakMegabytes.join(', ') }]);
  }
  if (options.keep)
    writeResult('quantization', {
      calibrationSentences: CALIBRATION_SENTENCES,
      calibrationImages: CALIBRATION_IMAGES,
      rows,
      ...(calibration && { calibration }),
    });
}

/** @param {import('./run.mjs').Options} options @param {string} name @returns {Promise<Row[]>} */
async function encoderRows(options, name) {
  const folder = modelFolder(options, name);
  const json = (/** @type {string} */ file) => JSON.parse(readFileSync(join(folder, file), 'utf8'));
  const tokenizer = new Tokenizer(json('tokenizer.json'), json('tokenizer_config.json'));
  const { model } = await runPasses(readOnnx(readFileSync(join(folder, 'model.onnx'))), compactEncoder());
  const lines = readFileSync(inRepo('models/sentiment/calibration.txt'), 'utf8').trim().split('\n');
  const { moments } = await observeOnEngine(
    model,
    lines.slice(0, CALIBRATION_SENTENCES).map((line) => tokenizer.encode(line).ids),
  );
  const answersOf = async (
    /** @type {Model} */ made,
    /** @type {readonly { ids: number[] }[]} */ examples,
  ) => {
    const session = await openArtifact(compileEdge(made, { maxSequence: MAX_TOKENS }));
    const answers = [];
    for (const { ids } of examples)
      answers.push(Float32Array.from((await session.run({ input_ids: ids }))['logits']?.data ?? []));
    session.dispose();
    return answers;
  };
  const rows = [];
  for (const file of DATASETS.filter((path) => existsSync(path))) {
    const examples = classExamples(readDataset(readFileSync(file), { file }), LABELS).map(
      ({ text, gold }) => ({ ids: tokenizer.encode(text).ids, gold }),
    );
    const float = await answersOf(model, examples);
    for (const bits of /** @type {const} */ ([4, 7, 8]))
      for (const [rounding, given] of /** @type {const} */ ([
        ['nearest', {}],
        ['together', { moments }],
      ])) {
        const weights =
          bits === 4 ? quantizeWeightsInt4(given) : quantizeLinears({ ...given, weightBits: bits });
        const { model: made } = await runPasses(model, [weights, quantizeEmbeddings()]);
        const found = compare(
          float,
          await answersOf(made, examples),
          examples.map(({ gold }) => gold),
        );
        const data = file.includes('sst2') ? 'sst2' : 'reviews';
        rows.push({ model: name, data, bits, rounding, examples: examples.length, ...found });
        note(`${name}, ${data}, ${bits} bits, ${rounding}`);
      }
  }
  return rows;
}

/**
 * @param {{ name: string, file: string, data: string, calibration: readonly import('./vision-accuracy.mjs').Input[], inputs: readonly (import('./vision-accuracy.mjs').Input & { gold: number })[] }} subject
 * @returns {Promise<Row[]>}
 */
async function networkRows({ name, file, data, calibration, inputs }) {
  const passes = [...compactConvNet(), separateActivations()];
  const { model } = await runPasses(readOnnx(readFileSync(file)), passes);
  const statistics = await observe(model, calibration);
  const float = await outputsOf(readFileSync(file), inputs);
  const golds = inputs.map(({ gold }) => gold);
  const rows = [];
  for (const bits of /** @type {const} */ ([7, 8]))
    for (const rounding of /** @type {const} */ (['nearest', 'together'])) {
      const quantize = quantizeConvNet({ statistics, weightBits: bits, weightNoiseLimit: 1, rounding });
      const { model: made } = await runPasses(model, [quantize]);
      const found = compare(float, await outputsOf(writeOnnx(expandEdgewise(made)).bytes, inputs), golds);
      rows.push({ model: name, data, bits, rounding, examples: inputs.length, ...found });
      note(`${name}, ${bits} bits, ${rounding}`);
    }
  return rows;
}

/** The first output for each input. @param {Uint8Array} bytes @param {readonly import('./vision-accuracy.mjs').Input[]} inputs */
async function outputsOf(bytes, inputs) {
  // Without VNNI, onnxruntime's products of 8-bit weights saturate in 16 bits unless it is told to be exact.
  const session = await InferenceSession.create(bytes, {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
    extra: { session: { x64quantprecision: '1' } },
  });
  const [input = '', output = ''] = [session.inputNames[0], session.outputNames[0]];
  const answers = [];
  for (const { dims, data } of inputs) {
    const found = await session.run({ [input]: new Tensor('float32', data, dims) });
    answers.push(/** @type {Float32Array} */ (found[output]?.data));
  }
  await session.release();
  return answers;
}

/** @param {Answers} float @param {Answers} actual @param {readonly number[]} golds -1: there is none */
function compare(float, actual, golds) {
  let [signal, noise, errors, count] = [0, 0, 0, 0];
  for (const [i, expected] of float.entries()) {
    let mean = 0;
    for (let j = 0; j < expected.length; j++) mean += (expected[j] ?? 0) / expected.length;
    for (let j = 0; j < expected.length; j++) {
      const difference = (expected[j] ?? 0) - (actual[i]?.[j] ?? 0);
      signal += ((expected[j] ?? 0) - mean) ** 2;
      noise += difference ** 2;
      errors += Math.abs(difference);
    }
    count += expected.length;
  }
  const [before, after] = [float, actual].map((answers) => answers.map(argmax));
  const right = (/** @type {number[] | undefined} */ chosen) =>
    golds.filter((gold, i) => chosen?.[i] === gold).length / golds.length;
  return {
    outputDb: 10 * Math.log10(signal / noise),
    meanError: errors / count,
    agreement: golds.filter((_, i) => before?.[i] === after?.[i]).length / golds.length,
    drop: golds.every((gold) => gold < 0) ? NaN : 100 * (right(before) - right(after)),
  };
}

/** @param {ArrayLike<number>} scores */
function argmax(scores) {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if ((scores[i] ?? 0) > (scores[best] ?? 0)) best = i;
  return best;
}

/** @param {import('./run.mjs').Options} options */
async function measureCalibration(options) {
  const folder = modelFolder(options, 'minilm');
  const child = fileURLToPath(new URL('lib/calibrate-child.mjs', import.meta.url));
  const runs = [];
  for (let count = 0; count < CALIBRATION_RUNS; count++) {
    const { stdout } = await runToEnd(process.execPath, [child, folder, String(EXAMPLES), String(TOKENS)]);
    runs.push(/** @type {{ seconds: number, peakBytes: number }} */ (JSON.parse(stdout)));
  }
  const modelBytes = readFileSync(join(folder, 'model.onnx')).length;
  return {
    shape: 'minilm',
    examples: EXAMPLES,
    tokens: TOKENS,
    runs: CALIBRATION_RUNS,
    seconds: runs.map(({ seconds }) => Number(seconds.toFixed(1))),
    peakMegabytes: runs.map(({ peakBytes }) => Math.round(peakBytes / 1e6)),
    barMegabytes: Math.round((2 * modelBytes + 200e6) / 1e6),
  };
}
