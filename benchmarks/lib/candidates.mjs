// Our quantized forms of a subject's model.
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import {
  compactConvNet,
  compactEncoder,
  compileEdge,
  entropyObserver,
  equalizeLayers,
  expandEdgewise,
  findFewest,
  frontEndLayers,
  measureSensitivity,
  mseObserver,
  observeActivations,
  observeConvNet,
  percentileObserver,
  quantizeConvNet,
  quantizeEmbeddings,
  quantizeLinears,
  quantizeLstms,
  quantizeWeightsInt4,
  rankLayers,
  readOnnx,
  runPasses,
  separateActivations,
  smoothLinears,
  writeOnnx,
} from '@edgewise/compiler';
import { AUDIO_NETWORKS } from './audio.mjs';
import { openArtifact } from './edgewise.mjs';
import { observeWith, openOnnx } from './onnxruntime.mjs';
import { modelPath } from './quantize-static.mjs';
import { BARS, SOME_EIGHT_BITS } from './quantization-report.mjs';

/**
 * @typedef {import('@edgewise/compiler').Model} Model
 * @typedef {import('@edgewise/compiler').Transform} Transform
 * @typedef {import('./subjects/subject.mjs').Subject} Subject
 * @typedef {object} Candidate
 * @property {string} scheme
 * @property {number} bytes of the model or, for encoders, of its weights file
 * @property {() => Promise<import('./onnxruntime.mjs').Runner>} open
 * @property {string} [error] why there is none
 * @property {readonly string[]} [float] layers that were left in float32
 * @property {readonly string[]} [eightBits] layers that have 8 bits where the others have 7
 * @property {readonly number[]} [tried] numbers of such layers that were tried, in this order
 * @typedef {(candidate: Candidate) => Promise<number>} DropOf in points
 */

/** What a layer's weights do to the answers shows on a few, as `optimize` looks at. */
const SENSITIVITY_SAMPLES = 8;

/** Of convolutional networks, after mse. */
const OTHER_RANGES = /** @type {const} */ (['minmax', 'percentile', 'entropy']);

/** Of linear layers, after the largest numbers. */
const OTHER_OBSERVERS = {
  mse: mseObserver(),
  percentile: percentileObserver(),
  entropy: entropyObserver(),
};

/**
 * What is tried on a model: `edgewise optimize`'s recipes, and with `parts` others that show what their parts do.
 * @param {Subject} subject @param {boolean} parts @param {DropOf} dropOf
 */
export function ourCandidates(subject, parts, dropOf) {
  const { recipes } = subject;
  if (recipes === 'encoder') return encoders(subject, parts);
  return recipes === 'conv-net' ? convNets(subject, parts, dropOf) : audioNets(subject);
}

/** @param {Subject} subject @param {string} scheme @param {Model} model @returns {Candidate} */
function onnxCandidate({ name, states }, scheme, model) {
  const path = modelPath(name, `edgewise ${scheme}`);
  writeFileSync(path, writeOnnx(expandEdgewise(model)).bytes);
  return { scheme: `edgewise ${scheme}`, bytes: statSync(path).size, open: () => openOnnx(path, states) };
}

/** On our engine. @param {Subject} subject @param {string} scheme @param {Model} model @returns {Candidate} */
function engineCandidate({ inputs, states = {} }, scheme, model) {
  const longest = Math.max(...inputs.map(({ input_ids }) => input_ids?.data.length ?? 1));
  const artifact = compileEdge(model, { maxSequence: longest });
  return {
    scheme: `edgewise ${scheme}`,
    bytes: artifact.files.get(artifact.model.weights.file)?.length ?? 0,
    open: async () => {
      const session = await openArtifact(artifact);
      /** @type {Record<string, unknown>} */
      let carried = {};
      return {
        run: async (feed) => {
          const given = artifact.model.inputs.flatMap(({ name }) => {
            const data = feed[name]?.data;
            return data ? [[name, data instanceof BigInt64Array ? Array.from(data, Number) : data]] : [];
          });
          const found = await session.run({ ...carried, ...Object.fromEntries(given) });
          const outputs = Object.fromEntries(
            Object.entries(found).map(([output, { shape, data }]) => [
              output,
              { dims: shape, data: Float32Array.from(data) },
            ]),
          );
          carried = Object.fromEntries(
            Object.entries(states).map(([input, output]) => [input, outputs[output]?.data]),
          );
          return outputs;
        },
        close: () => session.dispose(),
      };
    },
  };
}

/**
 * With calibrated ranges on onnxruntime, as the peer's; with a range by token, which onnxruntime does not have, on our engine.
 * @param {Subject} subject @param {boolean} parts @returns {AsyncGenerator<Candidate>}
 */
async function* encoders(subject, parts) {
  const { model } = await runPasses(readOnnx(readFileSync(subject.file)), compactEncoder());
  const { ranges, moments, others } = await observeLinears(subject, model);
  /** @type {Record<string, Transform>} */
  const schemes = {
    W8: quantizeLinears({ activations: 'static', ranges, moments, weightBits: 8 }),
    ...Object.fromEntries(
      Object.entries(others).map(([scheme, found]) => [
        scheme,
        quantizeLinears({ activations: 'static', ranges: found, moments, weightBits: 8 }),
      ]),
    ),
    W7: quantizeLinears({ activations: 'static', ranges, moments, weightBits: 7 }),
    int4: quantizeWeightsInt4({ activations: 'static', ranges, moments }),
    'int4, nearest': quantizeWeightsInt4({ activations: 'static', ranges }),
    int3: quantizeWeightsInt4({ activations: 'static', ranges, moments, weightBits: 3 }),
    'int3, nearest': quantizeWeightsInt4({ activations: 'static', ranges, weightBits: 3 }),
    ...(parts && {
      'W8, nearest': quantizeLinears({ activations: 'static', ranges, weightBits: 8 }),
      'W7, nearest': quantizeLinears({ activations: 'static', ranges, weightBits: 7 }),
    }),
    'W8 dynamic': quantizeLinears({ moments, weightBits: 8 }),
    'W7 dynamic': quantizeLinears({ moments, weightBits: 7 }),
    'int4 dynamic': quantizeWeightsInt4({ moments }),
  };
  for (const [scheme, weights] of Object.entries(schemes)) {
    const { model: made } = await runPasses(model, [weights, quantizeEmbeddings()]);
    const ours = engineCandidate(subject, scheme, made);
    // ONNX has no weights in few bits with whole multipliers.
    yield scheme.endsWith('dynamic') ? ours : { ...onnxCandidate(subject, scheme, made), bytes: ours.bytes };
  }
  if (parts) yield await smoothedEncoder(subject, model);
  const { model: smallest } = await runPasses(model, [
    quantizeWeightsInt4({ moments }),
    quantizeEmbeddings({ bits: 4 }),
  ]);
  yield engineCandidate(subject, 'int4 dynamic, int4 embeddings', smallest);
}

/** With features that have outliers divided before they are quantized. @param {Subject} subject @param {Model} model */
async function smoothedEncoder(subject, model) {
  const statistics = await observeWith(model, subject.calibration, (of, run, samples) =>
    observeActivations(of, run, samples, { extremes: true }),
  );
  const { model: smoothed } = await runPasses(model, [smoothLinears({ statistics, weightBits: 8 })]);
  const { ranges, moments } = await observeWith(smoothed, subject.calibration, observeActivations);
  const { model: made } = await runPasses(smoothed, [
    quantizeLinears({ activations: 'static', ranges, moments, weightBits: 8 }),
    quantizeEmbeddings(),
  ]);
  return onnxCandidate(subject, 'W8, smoothed', made);
}

/** @param {Subject} subject @param {boolean} parts @param {DropOf} dropOf @returns {AsyncGenerator<Candidate>} */
async function* convNets(subject, parts, dropOf) {
  const { model } = await runPasses(readOnnx(readFileSync(subject.file)), [
    ...compactConvNet(),
    separateActivations(),
  ]);
  const make = await quantizerOf(subject, model);
  const eight = await make('W8', {});
  yield eight;
  for (const activationRange of OTHER_RANGES) yield await make(`W8, ${activationRange}`, { activationRange });
  const seven = await make('W7', { weightBits: 7 });
  yield seven;
  // As `optimize` does with --max-drop: layers get 8 bits where all of them would be enough.
  if ((await dropOf(seven)) > BARS.W7 && (await dropOf(eight)) <= BARS.W7) {
    const wide = await fewestInEightBits(subject, make, model, dropOf);
    if (wide) yield wide;
  }
  if (!parts) return;
  yield await make('W8, nearest', { rounding: 'nearest' });
  yield await make('W8, minmax, nearest', { activationRange: 'minmax', rounding: 'nearest' });
  yield await make('W7 everywhere, nearest', { weightBits: 7, rounding: 'nearest' });
  if (seven.float.length > 0) {
    yield await make('W8, no layer float', { noiseLimit: 1 });
    yield await make('W7 everywhere', { noiseLimit: 1, weightBits: 7 });
  }
  yield await make('W8, biases as they are', { correctBias: false });
  const { statistics } = make;
  const { model: equalized, steps } = await runPasses(model, [equalizeLayers({ statistics })]);
  if ((steps[0]?.edits ?? 0) > 0) yield await (await quantizerOf(subject, equalized))('W8, equalized', {});
}

/**
 * With the fewest layers in 8 bits that keep within the bar, as `optimize` finds them: first those whose weights in 7 bits cost the answers to
 * calibration samples most for their size, as many as the measured drop asks for. Undefined where no number that is tried is enough.
 * @param {Subject} subject @param {Awaited<ReturnType<typeof quantizerOf>>} make @param {Model} model @param {DropOf} dropOf
 */
async function fewestInEightBits({ calibration }, make, model, dropOf) {
  const { statistics } = make;
  const samples = calibration.slice(0, SENSITIVITY_SAMPLES);
  const layers = rankLayers(
    await measureSensitivity({
      float: model,
      quantize: (options) => quantizeConvNet({ ...options, statistics, weightBits: 7, activations: 'float' }),
      outputsOf: (made) => outputsOf(made, samples),
    }),
  );
  /** @type {Candidate | undefined} */
  let best;
  const { tried } = await findFewest(layers.length, async (count) => {
    const made = await make(`W7, ${count} layers in 8 bits`, {
      weightBits: 7,
      eightBits: layers.slice(0, count),
    });
    if ((await dropOf(made)) > BARS.W7) return false;
    best = made;
    return true;
  });
  return best && { ...best, scheme: SOME_EIGHT_BITS, tried };
}

/** All numbers that a model answers with. @param {Model} model @param {readonly import('./onnxruntime.mjs').Feed[]} feeds */
async function outputsOf(model, feeds) {
  const runner = await openOnnx(writeOnnx(expandEdgewise(model)).bytes);
  const numbers = [];
  for (const feed of feeds)
    for (const { data } of Object.values(await runner.run(feed))) numbers.push(Float32Array.from(data));
  await runner.close();
  return Float32Array.from(numbers.flatMap((data) => [...data]));
}

/** Calibrates once for all schemes. @param {Subject} subject @param {Model} model */
async function quantizerOf(subject, model) {
  const statistics = await observeWith(model, subject.calibration, observeConvNet);
  const make = async (
    /** @type {string} */ scheme,
    /** @type {Omit<import('@edgewise/compiler').QuantizeConvNetOptions, 'statistics'>} */ options,
  ) => {
    /** @type {import('@edgewise/compiler').LayerEffect[]} */
    const layers = [];
    const { model: made, diagnostics } = await runPasses(model, [
      quantizeConvNet({ ...options, statistics, onLayer: (layer) => layers.push(layer) }),
    ]);
    const wider = options.weightBits === 7 ? layers.filter(({ bits }) => bits === 8) : [];
    return {
      ...onnxCandidate(subject, scheme, made),
      float: diagnostics.filter(({ code }) => code === 'kept-float').map(({ at }) => at?.node ?? ''),
      eightBits: wider.map(({ layer }) => layer),
    };
  };
  return Object.assign(make, { statistics });
}

/** Networks with a memory or a front end. @param {Subject} subject @returns {AsyncGenerator<Candidate>} */
async function* audioNets(subject) {
  const { name, file } = subject;
  const { passes = [] } = AUDIO_NETWORKS.find((network) => network.name === name) ?? {};
  const { model } = await runPasses(readOnnx(readFileSync(file)), passes);
  const keepFloat = frontEndLayers(model);
  const { ranges, moments, others } = await observeLinears(subject, model);
  for (const weightBits of /** @type {const} */ ([8, 7])) {
    const linears = { weightBits, keepFloat, moments };
    const made = async (/** @type {import('@edgewise/compiler').LinearLayerOptions} */ options) =>
      (await runPasses(model, [quantizeLstms({ weightBits }), quantizeLinears({ ...linears, ...options })]))
        .model;
    const float = keepFloat;
    const w = `W${weightBits}`;
    yield { ...onnxCandidate(subject, w, await made({ activations: 'static', ranges })), float };
    for (const [scheme, found] of Object.entries(weightBits === 8 ? others : {}))
      yield {
        ...onnxCandidate(subject, scheme, await made({ activations: 'static', ranges: found })),
        float,
      };
    yield { ...engineCandidate(subject, `${w} dynamic`, await made({})), float };
  }
}

/** Ranges as `optimize` finds them, and by the other ways, each with its scheme's name; second moments. @param {Subject} subject @param {Model} model */
async function observeLinears({ calibration }, model) {
  const observeWithin = (/** @type {import('@edgewise/compiler').CalibrateOptions} */ options) =>
    observeWith(model, calibration, (of, run, samples) => observeActivations(of, run, samples, options));
  const { ranges, moments } = await observeWithin({});
  /** @type {Record<string, typeof ranges>} */
  const others = {};
  for (const [method, observer] of Object.entries(OTHER_OBSERVERS))
    others[`W8, ${method}`] = (await observeWithin({ observer })).ranges;
  return { ranges, moments, others };
}
