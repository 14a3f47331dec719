// Top-1 of image classifiers: float, our static int8 and onnxruntime's quantize_static, all run by onnxruntime-node.
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import {
  clopperPearson,
  compactConvNet,
  denseTensor,
  expandEdgewise,
  float32Tensor,
  minMaxObserver,
  mseObserver,
  observeConvNet,
  pairedAccuracyDrop,
  percentileObserver,
  quantizeConvNet,
  readOnnx,
  runPasses,
  separateActivations,
  writeOnnx,
} from '@edgewise/compiler';
import { runToEnd } from './lib/children.mjs';
import { CACHE } from './lib/models.mjs';
import { note, printTable, short, writeResult } from './lib/report.mjs';
import { ASSETS, NETWORKS } from './lib/vision.mjs';

// Must be set before onnxruntime is loaded.
process.env['ORT_DISABLE_TELEMETRY'] = '1';
const { InferenceSession, Tensor } = await import('onnxruntime-node');

/** Without VNNI, onnxruntime's products of 8-bit weights saturate in 16 bits unless it is told to be exact. */
const EXACT = {
  intraOpNumThreads: 1,
  logSeverityLevel: /** @type {const} */ (3),
  extra: { session: { x64quantprecision: '1' } },
};

/** Largest drop in points. */
const BAR = 1;
const CALIBRATION_IMAGES = 100;

/** @type {Record<string, import('@edgewise/compiler').ObserverFactory>} */
const OBSERVERS = { minmax: minMaxObserver, '99.99 %': percentileObserver(), mse: mseObserver() };

/** What is made of each network. `observer` names one of OBSERVERS. */
const OURS = [
  { scheme: 'edgewise W8, minmax', bits: 8, observer: 'minmax', correctBias: true },
  { scheme: 'edgewise W8, 99.99 %', bits: 8, observer: '99.99 %', correctBias: true },
  { scheme: 'edgewise W8, mse', bits: 8, observer: 'mse', correctBias: true },
  { scheme: 'edgewise W8, mse, biases as they are', bits: 8, observer: 'mse', correctBias: false },
  { scheme: 'edgewise W7, mse', bits: 7, observer: 'mse', correctBias: true },
];

const THEIRS = [
  { scheme: 'onnxruntime, defaults', flags: [] },
  { scheme: 'onnxruntime, per channel', flags: ['--per-channel'] },
];

/** @typedef {import('./lib/vision.mjs').Network} Network */
/** @typedef {{ scheme: string, bytes: number, correct: boolean[] }} Measured */

/** @param {import('./run.mjs').Options} options */
export async function run(options) {
  const rows = [];
  for (const network of NETWORKS.filter(({ name }) => name.includes(options.only ?? ''))) {
    const images = await load(network.images());
    /** @type {Measured[]} */
    const measured = [];
    for await (const { scheme, path } of candidates(network, options)) {
      measured.push({ scheme, bytes: statSync(path).size, correct: await classify(path, images) });
      note(`${network.name}, ${scheme}`);
    }
    const [float] = measured;
    for (const { scheme, bytes, correct } of measured) {
      const right = correct.filter(Boolean).length;
      rows.push({
        model: network.name,
        data: network.data,
        scheme,
        bytes,
        images: images.length,
        accuracy: clopperPearson(right, images.length),
        drop: pairedAccuracyDrop(float?.correct ?? [], correct),
      });
    }
  }
  const points = (/** @type {number} */ share) => (share * 100).toFixed(2);
  printTable(
    rows.map(({ model, scheme, images, bytes, accuracy, drop }) => ({
      model,
      scheme,
      images,
      KB: short(bytes / 1000),
      'top-1, %': points(accuracy.value),
      'drop, points': points(drop.value),
      '95 %': `${points(drop.low)}–${points(drop.high)}`,
    })),
  );
  if (options.keep) writeResult('vision-accuracy', { bar: BAR, calibrationImages: CALIBRATION_IMAGES, rows });
}

/** Files of everything that is measured on a network; float comes first, as what drops are counted from. @param {Network} network @param {import('./run.mjs').Options} options */
async function* candidates(network, options) {
  const floatFile = join(ASSETS, 'models/vision', `${network.name}.onnx`);
  yield { scheme: 'float', path: floatFile };
  const folder = join(CACHE, 'vision');
  mkdirSync(folder, { recursive: true });
  const samples = await load(network.calibration().slice(0, CALIBRATION_IMAGES));
  const passes = [...compactConvNet(), separateActivations()];
  const { model } = await runPasses(readOnnx(readFileSync(floatFile)), passes);
  /** @type {Map<string, import('@edgewise/compiler').ConvNetStatistics>} */
  const statistics = new Map();
  for (const { scheme, bits, observer: observerName, correctBias } of OURS) {
    const seen =
      statistics.get(observerName) ??
      (await observe(model, samples, OBSERVERS[observerName] ?? minMaxObserver));
    statistics.set(observerName, seen);
    const weightBits = bits === 7 ? 7 : 8;
    const quantized = await runPasses(model, [
      quantizeConvNet({ statistics: seen, weightBits, correctBias }),
    ]);
    const path = join(folder, `${network.name}.${scheme.replaceAll(/\W+/g, '-')}.onnx`);
    writeFileSync(path, writeOnnx(expandEdgewise(quantized.model)).bytes);
    yield { scheme, path };
  }
  const tensors = join(folder, 'calibration.f32');
  writeFileSync(tensors, Buffer.concat(samples.map(({ data }) => Buffer.from(data.buffer))));
  for (const { scheme, flags } of THEIRS) {
    const path = join(folder, `${network.name}.onnxruntime${flags.length}.onnx`);
    const script = fileURLToPath(new URL('../oracles/quantize_static.py', import.meta.url));
    const dims = samples[0]?.dims.join(',') ?? '';
    await runToEnd(options.python, [script, floatFile, tensors, dims, path, ...flags]);
    yield { scheme, path };
  }
}

/** Calibrates with onnxruntime: the float graph with the values it wants as outputs. @param {import('@edgewise/compiler').Model} model @param {readonly Loaded[]} samples @param {import('@edgewise/compiler').ObserverFactory} observer */
export async function observe(model, samples, observer) {
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
    { observer },
  );
  await session?.release();
  return result;
}

/** @param {import('@edgewise/compiler').Model} model @param {readonly string[]} want */
function openWith(model, want) {
  const expanded = expandEdgewise(model);
  expanded.graph.outputs = want.map((name) => ({ name, type: { kind: 'tensor', dtype: 'float32' } }));
  return InferenceSession.create(writeOnnx(expanded).bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 });
}

/** @typedef {{ dims: readonly number[], data: Float32Array, gold: number }} Loaded */

/** @param {readonly import('./lib/vision.mjs').Image[]} images @returns {Promise<Loaded[]>} */
export async function load(images) {
  const loaded = [];
  for (const { dims, gold, read } of images) loaded.push({ dims, gold, data: await read() });
  return loaded;
}

/** Whether each image gets its class. @param {string} path @param {readonly Loaded[]} images */
async function classify(path, images) {
  const session = await InferenceSession.create(readFileSync(path), EXACT);
  const [input = ''] = session.inputNames;
  const [output = ''] = session.outputNames;
  const correct = [];
  for (const { dims, data, gold } of images) {
    const scores = (await session.run({ [input]: new Tensor('float32', data, dims) }))[output]?.data;
    correct.push(argmax(/** @type {Float32Array} */ (scores)) === gold);
  }
  await session.release();
  return correct;
}

/** @param {Float32Array} scores */
function argmax(scores) {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if ((scores[i] ?? 0) > (scores[best] ?? 0)) best = i;
  return best;
}
