// Accuracy of image classifiers, a keyword spotter and detectors: float, our static int8 and onnxruntime's quantize_static, all run by
// onnxruntime-node.
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import {
  bootstrapDrop,
  clopperPearson,
  compactConvNet,
  denseTensor,
  equalizeLayers,
  expandEdgewise,
  float32Tensor,
  meanAveragePrecision,
  METRICS,
  observeConvNet,
  pairedAccuracyDrop,
  quantizeConvNet,
  readOnnx,
  runPasses,
  separateActivations,
  writeOnnx,
} from '@edgewise/compiler';
import { runToEnd } from './lib/children.mjs';
import { boxesOf, DETECTORS, loadCalibrationScenes, loadScenes } from './lib/detectors.mjs';
import { CACHE } from './lib/models.mjs';
import { note, printTable, short, writeResult } from './lib/report.mjs';
import { argmax, ASSETS, load, NETWORKS } from './lib/vision.mjs';

// Must be set before onnxruntime is loaded.
process.env['ORT_DISABLE_TELEMETRY'] = '1';
const { InferenceSession, Tensor } = await import('onnxruntime-node');

/** Without VNNI, onnxruntime's products of 8-bit weights saturate in 16 bits unless it is told to be exact. */
const EXACT = {
  intraOpNumThreads: 2,
  logSeverityLevel: /** @type {const} */ (3),
  extra: { session: { x64quantprecision: '1' } },
};

/** Largest drop in points. */
const BAR = 1;
const CALIBRATION_SAMPLES = 100;
/** Boxes of the float model that a detector without labels has to find again. */
const SURE_SCORE = 0.3;
/** Of images, for the interval of a mean average precision. */
const RESAMPLES = 500;

/** onnxruntime's quantize_static: its defaults, and what its guide recommends with each way to find ranges. */
const THEIRS = [
  { scheme: 'onnxruntime, defaults', flags: [] },
  ...['minmax', 'entropy', 'percentile'].map((method) => ({
    scheme: `onnxruntime, per channel, ${method}`,
    flags: ['--prepare', '--per-channel', '--method', method],
  })),
];
const THEIR_RESULTS = fileURLToPath(new URL('../oracles/results/quantize_static.json', import.meta.url));
const OUR_RESULTS = fileURLToPath(new URL('results/vision-accuracy.json', import.meta.url));

/**
 * @typedef {import('@edgewise/compiler').Model} Model
 * @typedef {import('@edgewise/compiler').Estimate} Estimate
 * @typedef {{ dims: readonly number[], data: Float32Array }} Input
 * @typedef {Readonly<Record<string, { dims: readonly number[], data: Float32Array }>>} Outputs by name
 * @typedef {{ value: number, score: (baseline: Answers) => { value: Estimate, drop: Estimate }, answers: unknown }} Answers
 * @typedef {{ name: string, file: string, data: string, metric: string, inputs: readonly Input[], calibration: readonly Input[], read: (outputs: readonly Outputs[]) => Answers }} Case
 * @typedef {{ model: string, data: string, metric: string, scheme: string, bytes: number, images: number, value: Estimate, drop: Estimate, float?: readonly string[], eightBits?: readonly string[] }} Row
 */

/** @param {import('./run.mjs').Options} options */
export async function run(options) {
  const isWanted = (/** @type {{ name: string }} */ { name }) => name.includes(options.only ?? '');
  /** @type {Row[]} */
  const ours = [];
  /** @type {Row[]} */
  const theirs = [];
  for (const open of [
    ...NETWORKS.filter(isWanted).map((network) => () => openClassifier(network)),
    ...DETECTORS.filter(isWanted).map((detector) => () => openDetector(detector)),
  ]) {
    const subject = await open();
    const float = await answersOf(subject, subject.file);
    const rowOf = (/** @type {Candidate} */ { path, ...rest }, /** @type {Answers} */ answers) => ({
      model: subject.name,
      data: subject.data,
      metric: subject.metric,
      bytes: statSync(path).size,
      images: subject.inputs.length,
      ...rest,
      ...answers.score(float),
    });
    ours.push(rowOf({ scheme: 'float', path: subject.file }, float));
    const made = await prepare(subject);
    const peers = options.oracle ? [{ rows: theirs, list: theirCandidates(subject, options.python) }] : [];
    for (const { rows, list } of [
      { rows: ours, list: ourCandidates(made) },
      ...peers,
      { rows: ours, list: ablations(made) },
    ])
      for await (const candidate of list) {
        rows.push(rowOf(candidate, await answersOf(subject, candidate.path)));
        note(`${subject.name}, ${candidate.scheme}`);
        if (options.keep) keep(ours, theirs);
      }
  }
  const recorded = merge(THEIR_RESULTS, theirs);
  print([...ours, ...recorded].filter(({ model }) => ours.some((row) => row.model === model)));
}

/** Keeps what is measured so far: the whole takes hours on a slow machine. @param {readonly Row[]} ours @param {readonly Row[]} theirs */
function keep(ours, theirs) {
  const rows = merge(OUR_RESULTS, ours);
  writeResult('vision-accuracy', { bar: BAR, calibrationSamples: CALIBRATION_SAMPLES, rows });
  if (theirs.length === 0) return;
  const command = 'node benchmarks/run.mjs vision-accuracy --oracle --python ../oracle-venv/bin/python';
  writeFileSync(
    THEIR_RESULTS,
    `${JSON.stringify({ command, rows: merge(THEIR_RESULTS, theirs) }, null, 2)}\n`,
  );
}

/** The rows that a file keeps, with what was measured anew in their place. @param {string} file @param {readonly Row[]} rows @returns {Row[]} */
function merge(file, rows) {
  const key = (/** @type {Row} */ { model, scheme }) => `${model}, ${scheme}`;
  const measured = new Set(rows.map(key));
  const kept = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).rows : [];
  return [...kept.filter((/** @type {Row} */ row) => !measured.has(key(row))), ...rows];
}

/** @param {readonly Row[]} rows */
function print(rows) {
  const points = (/** @type {number} */ share) => (share * 100).toFixed(2);
  const models = [...new Set(rows.map(({ model }) => model))];
  printTable(
    models.flatMap((name) =>
      rows
        .filter(({ model }) => model === name)
        .map(({ model, scheme, images, metric, bytes, value, drop, float = [], eightBits = [] }) => ({
          model,
          scheme,
          samples: images,
          KB: short(bytes / 1000),
          metric,
          '%': points(value.value),
          'drop, points': points(drop.value),
          '95 %': `${points(drop.low)}–${points(drop.high)}`,
          'float layers': float.length,
          '8-bit layers': eightBits.length,
        })),
    ),
  );
}

/** @typedef {{ scheme: string, path: string, float?: readonly string[], eightBits?: readonly string[] }} Candidate */

/** What candidates of a model are made from. @param {Case} subject */
async function prepare({ name, file, calibration }) {
  const passes = [...compactConvNet(), separateActivations()];
  const { model } = await runPasses(readOnnx(readFileSync(file)), passes);
  return { name, model, calibration, statistics: await observe(model, calibration) };
}

/**
 * @typedef {Awaited<ReturnType<typeof prepare>>} Prepared
 * @param {Prepared} prepared @param {string} scheme @param {Omit<import('@edgewise/compiler').QuantizeConvNetOptions, 'statistics'>} options
 * @returns {Promise<Required<Candidate>>}
 */
async function write({ name, model, statistics }, scheme, options) {
  /** @type {import('@edgewise/compiler').LayerEffect[]} */
  const layers = [];
  const { model: made, diagnostics } = await runPasses(model, [
    quantizeConvNet({ ...options, statistics, onLayer: (layer) => layers.push(layer) }),
  ]);
  const folder = join(CACHE, 'vision');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name}.${scheme.replaceAll(/\W+/g, '-')}.onnx`);
  writeFileSync(path, bytesOf(made));
  const float = diagnostics.filter(({ code }) => code === 'kept-float').map(({ at }) => at?.node ?? '');
  const wider = options.weightBits === 7 ? layers.filter(({ bits }) => bits === 8) : [];
  return { scheme, path, float, eightBits: wider.map(({ layer }) => layer) };
}

/** What `edgewise optimize` tries. @param {Prepared} prepared @returns {AsyncGenerator<Candidate>} */
async function* ourCandidates(prepared) {
  yield await write(prepared, 'edgewise W8', {});
  yield await write(prepared, 'edgewise W8, minmax', { activationRange: 'minmax' });
  yield await write(prepared, 'edgewise W7', { weightBits: 7 });
}

/** The recipe without each of its parts, and with others. @param {Prepared} prepared @returns {AsyncGenerator<Candidate>} */
async function* ablations(prepared) {
  const { model, calibration, statistics } = prepared;
  const seven = await write(prepared, 'edgewise W7', { weightBits: 7 });
  if (seven.float.length > 0) yield await write(prepared, 'edgewise W8, no layer float', { noiseLimit: 1 });
  if (seven.float.length + seven.eightBits.length > 0)
    yield await write(prepared, 'edgewise W7 everywhere', {
      noiseLimit: 1,
      weightBits: 7,
      weightNoiseLimit: 1,
    });
  yield await write(prepared, 'edgewise W8, biases as they are', { correctBias: false });
  const { model: equalized, steps } = await runPasses(model, [equalizeLayers({ statistics })]);
  if ((steps[0]?.edits ?? 0) > 0) {
    const again = { ...prepared, model: equalized, statistics: await observe(equalized, calibration) };
    yield await write(again, 'edgewise W8, equalized', {});
  }
  yield await write(prepared, 'edgewise W8, percentile', { activationRange: 'percentile' });
}

/** @param {Case} subject @param {string} python @returns {AsyncGenerator<Candidate>} */
async function* theirCandidates(subject, python) {
  const folder = join(CACHE, 'vision');
  mkdirSync(folder, { recursive: true });
  const tensors = join(folder, `${subject.name}.f32`);
  writeFileSync(tensors, Buffer.concat(subject.calibration.map(({ data }) => Buffer.from(data.buffer))));
  const dims = subject.calibration[0]?.dims.join(',') ?? '';
  const script = fileURLToPath(new URL('../oracles/quantize_static.py', import.meta.url));
  for (const { scheme, flags } of THEIRS) {
    const path = join(folder, `${subject.name}.${scheme.replaceAll(/\W+/g, '-')}.onnx`);
    try {
      if (!existsSync(path)) await runToEnd(python, [script, subject.file, tensors, dims, path, ...flags]);
    } catch (error) {
      note(`${subject.name}, ${scheme}: ${/** @type {Error} */ (error).message}`);
      continue;
    }
    yield { scheme, path };
  }
}

/** @param {import('./lib/vision.mjs').Network} network @returns {Promise<Case>} */
async function openClassifier(network) {
  const images = await load(network.images());
  const calibration = await load(network.calibration().slice(0, CALIBRATION_SAMPLES));
  return {
    name: network.name,
    file: join(ASSETS, 'models', network.folder ?? 'vision', `${network.name}.onnx`),
    data: network.data,
    metric: 'top-1',
    inputs: images,
    calibration,
    read: (outputs) => {
      const scores = outputs.map((named) => Object.values(named)[0]?.data ?? new Float32Array());
      const correct = scores.map((row, i) => argmax(row) === images[i]?.gold);
      return {
        answers: correct,
        value: correct.filter(Boolean).length / correct.length,
        score: ({ answers }) => ({
          value: clopperPearson(correct.filter(Boolean).length, correct.length),
          drop: pairedAccuracyDrop(/** @type {boolean[]} */ (answers), correct),
        }),
      };
    },
  };
}

/** @param {import('./lib/detectors.mjs').Detector} detector @returns {Promise<Case>} */
async function openDetector(detector) {
  const scenes = await loadScenes(detector);
  const calibration = await loadCalibrationScenes(detector);
  return {
    name: detector.name,
    file: join(ASSETS, 'models/detection', `${detector.name}.onnx`),
    data: 'coco128-val2017',
    metric: detector.hasGolds ? 'mAP' : 'boxes of float',
    inputs: scenes,
    calibration,
    read: (outputs) => {
      const found = outputs.map((named, i) =>
        boxesOf(detector, /** @type {import('./lib/detectors.mjs').Scene} */ (scenes[i]), named),
      );
      /** What is there: labels, or the boxes of which the float model is sure. @param {Answers} float */
      const goldsOf = ({ answers }) =>
        detector.hasGolds
          ? scenes.map(({ golds }) => golds)
          : /** @type {import('@edgewise/compiler').DetectedBox[][]} */ (answers).map((boxes) =>
              boxes.filter(({ score }) => score >= SURE_SCORE),
            );
      const scored = (/** @type {typeof found} */ boxes, /** @type {ReturnType<typeof goldsOf>} */ golds) =>
        boxes.map((one, i) => ({ found: one, golds: golds[i] ?? [] }));
      return {
        answers: found,
        value: NaN,
        score: (float) => {
          const golds = goldsOf(float);
          const boxed = (/** @type {readonly (typeof golds)[number][]} */ all) =>
            all.map((boxes) => ({ boxes }));
          const theirs = /** @type {typeof found} */ (float.answers);
          return {
            value: { value: meanAveragePrecision(scored(found, golds)), low: NaN, high: NaN },
            drop: bootstrapDrop(METRICS.map, boxed(theirs), boxed(found), boxed(golds), {
              resamples: RESAMPLES,
            }),
          };
        },
      };
    },
  };
}

/** Runs a model on all inputs. @param {Case} subject @param {string} file */
async function answersOf(subject, file) {
  const session = await InferenceSession.create(readFileSync(file), EXACT);
  const [input = ''] = session.inputNames;
  const outputs = [];
  for (const { dims, data } of subject.inputs) {
    const found = await session.run({ [input]: new Tensor('float32', data, dims) });
    outputs.push(
      Object.fromEntries(
        session.outputNames.map((name) => [
          name,
          {
            dims: found[name]?.dims ?? [],
            data: /** @type {Float32Array} */ (found[name]?.data),
          },
        ]),
      ),
    );
  }
  await session.release();
  return subject.read(outputs);
}

/** @param {Model} model */
function bytesOf(model) {
  return writeOnnx(expandEdgewise(model)).bytes;
}

/** Calibrates with onnxruntime: the float graph with the values it wants as outputs. @param {Model} model @param {readonly Input[]} samples */
export async function observe(model, samples) {
  /** @type {import('onnxruntime-node').InferenceSession | undefined} */
  let session;
  const input = model.graph.inputs[0]?.name ?? '';
  const inputs = samples.map(({ dims, data }) => new Map([[input, float32Tensor(dims, data)]]));
  let next = 0;
  const result = await observeConvNet(
    model,
    async (sample, want, emit) => {
      session ??= await openWith(
        model,
        want.filter((name) => name !== input),
      );
      const image = samples[next++];
      const outputs = await session.run({
        [input]: new Tensor('float32', image?.data ?? new Float32Array(), image?.dims ?? []),
      });
      for (const [name, { dims, data }] of Object.entries(outputs))
        emit(name, denseTensor('float32', dims, /** @type {Float32Array} */ (data)));
      const tensor = sample.get(input);
      if (tensor !== undefined) emit(input, tensor);
    },
    inputs,
  );
  await session?.release();
  return result;
}

/** @param {Model} model @param {readonly string[]} want */
function openWith(model, want) {
  const expanded = expandEdgewise(model);
  expanded.graph.outputs = want.map((name) => ({ name, type: { kind: 'tensor', dtype: 'float32' } }));
  return InferenceSession.create(writeOnnx(expanded).bytes, { intraOpNumThreads: 2, logSeverityLevel: 3 });
}
