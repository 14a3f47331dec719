// Engines that run chunk after chunk and hand their state on: one call is a whole stream.

/**
 * @typedef {object} StreamSpec
 * @property {'edgewise' | 'onnxruntime'} stream
 * @property {string} label
 * @property {string} url
 * @property {number} chunks in one call
 * @property {Readonly<Record<string, readonly number[]>>} inputs shapes of the inputs, float32, states as well
 * @property {Readonly<Record<string, string>>} states outputs that are inputs of the next chunk, by input
 * @property {Readonly<Record<string, number>>} settings int64 inputs of one number
 * @property {object} [options]
 * @typedef {Readonly<Record<string, Float32Array>>} Tensors
 * @typedef {import('./bench.mjs').Engine} Engine
 */

/** @param {string} url @returns {Promise<any>} */
const load = (url) => import(url);

/** @param {StreamSpec} spec @returns {Promise<Engine>} */
export async function openStream(spec) {
  return spec.stream === 'edgewise' ? openEdgewise(spec) : openOnnxRuntime(spec);
}

/** @param {StreamSpec} spec @returns {Promise<Engine>} */
async function openEdgewise(spec) {
  const { createSession } = await load('/edgewise/index.js');
  const url = new URL(spec.url, location.href).href;
  const session = await createSession(url, { threads: 1, worker: false, ...spec.options });
  const runChunk = async (/** @type {Tensors} */ feeds) => {
    const outputs = await session.run(feeds);
    return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data]));
  };
  return {
    label: spec.label,
    info: session.info,
    run: () => runStream(spec, session.outputs[0].name, runChunk),
    close: () => session.dispose(),
  };
}

/** @param {StreamSpec} spec @returns {Promise<Engine>} */
async function openOnnxRuntime(spec) {
  const ort = await load('/onnxruntime/ort.wasm.bundle.min.mjs');
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = new URL('/onnxruntime/', location.href).href;
  ort.env.logLevel = 'error';
  const session = await ort.InferenceSession.create(spec.url, { executionProviders: ['wasm'] });
  const settings = Object.entries(spec.settings)
    .filter(([name]) => session.inputNames.includes(name))
    .map(([name, value]) => [name, new ort.Tensor('int64', BigInt64Array.of(BigInt(value)), [])]);
  const runChunk = async (/** @type {Tensors} */ feeds) => {
    const tensors = Object.entries(feeds).map(([name, data]) => {
      return [name, new ort.Tensor('float32', data, spec.inputs[name])];
    });
    const outputs = await session.run(Object.fromEntries([...tensors, ...settings]));
    return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data]));
  };
  return {
    label: spec.label,
    info: { version: ort.env.versions.web },
    run: () => runStream(spec, session.outputNames[0], runChunk),
    close: () => session.release(),
  };
}

/**
 * The first output of the last chunk.
 * @param {StreamSpec} spec @param {string} output @param {(feeds: Tensors) => Promise<Tensors>} runChunk
 */
async function runStream({ chunks, inputs, states }, output, runChunk) {
  /** @type {Record<string, Float32Array>} */
  let memory = Object.fromEntries(
    Object.keys(states).map((name) => [name, new Float32Array(sizeOf(inputs[name]))]),
  );
  let result;
  for (let chunk = 0; chunk < chunks; chunk++) {
    const fresh = Object.entries(inputs)
      .filter(([name]) => !(name in states))
      .map(([name, shape]) => [name, sound(sizeOf(shape), chunk)]);
    const outputs = await runChunk({ ...Object.fromEntries(fresh), ...memory });
    memory = Object.fromEntries(
      Object.entries(states).map(([input, name]) => [input, outputs[name] ?? new Float32Array()]),
    );
    result = outputs[output];
  }
  return result;
}

/** @param {readonly number[] | undefined} shape */
function sizeOf(shape = []) {
  return shape.reduce((product, dim) => product * dim, 1);
}

/** @type {Map<string, Float32Array>} */
const sounds = new Map();

/** The same for every engine and call. @param {number} length @param {number} chunk */
function sound(length, chunk) {
  const key = `${length},${chunk}`;
  const known =
    sounds.get(key) ??
    Float32Array.from({ length }, (_, index) => {
      const at = chunk * length + index;
      return 0.3 * Math.sin(at * 0.037) + 0.2 * Math.cos(at * 0.41 + Math.sin(at * 0.0003));
    });
  sounds.set(key, known);
  return known;
}
