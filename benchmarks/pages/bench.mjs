// The page side of the browser benchmarks: opens engines by name, then runs them in turn. Node drives it through
// `globalThis.bench`. Imports are computed so that the type checker does not look for what the server maps.
import { cosine } from './cosine.mjs';
import { openLiteRt } from './litert.mjs';
import { noise } from './noise.mjs';
import { openStream } from './streams.mjs';
import { formOf, tilePeakGops } from './tile-peak.mjs';

/**
 * @typedef {{ ids: readonly number[], text: string }} Input
 * @typedef {{ session: 'edgewise' | 'onnxruntime', url: string, inputs: readonly string[], output: string, image?: readonly number[], values?: readonly number[] }} SessionSpec `image`: the shape of the only input, float32, instead of token ids; `values`: its numbers, noise by default
 * @typedef {{ task: 'edgewise' | 'transformers', url: string, kind: 'feature-extraction' | 'text-classification' }} TaskSpec
 * @typedef {import('./streams.mjs').StreamSpec} StreamSpec
 * @typedef {import('./litert.mjs').LiteRtSpec} LiteRtSpec
 * @typedef {(SessionSpec | TaskSpec | StreamSpec | LiteRtSpec) & { label: string, threads?: number, options?: object }} EngineSpec
 * @typedef {{ label: string, info: unknown, run: (input: Input) => Promise<Float32Array | undefined>, tokens?: (text: string) => number, close: () => unknown }} Engine
 */

/** @type {Engine[]} */
const engines = [];

/** @param {string} url @returns {Promise<any>} */
const load = (url) => import(url);

/** @param {EngineSpec} spec @returns {Promise<Engine>} */
async function open(spec) {
  if ('stream' in spec) return openStream(spec);
  if ('litert' in spec) return openLiteRt(spec);
  const { label, threads = 1, options = {} } = spec;
  if ('session' in spec) {
    return spec.session === 'edgewise'
      ? openEdgewise(label, spec, threads, options)
      : openOnnxRuntime(label, spec, threads, options);
  }
  return spec.task === 'edgewise'
    ? openEdgewiseTask(label, spec, threads, options)
    : openTransformers(label, spec, threads);
}

/** @param {string} label @param {SessionSpec} spec @param {number} threads @param {object} options @returns {Promise<Engine>} */
async function openEdgewise(label, { url, output, image, values }, threads, options) {
  const { createSession } = await load('/edgewise/index.js');
  // One thread runs on the page's own, as onnxruntime-web does; threads need a worker that may wait.
  const session = await createSession(new URL(url, location.href).href, {
    threads,
    worker: threads > 1,
    ...options,
  });
  const own = values && Float32Array.from(values);
  return {
    label,
    info: session.info,
    run: async ({ ids }) => {
      const feeds = image ? { [session.inputs[0].name]: own ?? noise(image) } : { input_ids: ids };
      const outputs = await session.run(feeds);
      return outputs[output ?? session.outputs[0].name].data;
    },
    close: () => session.dispose(),
  };
}

/** @param {string} label @param {SessionSpec} spec @param {number} threads @param {object} options @returns {Promise<Engine>} */
async function openOnnxRuntime(label, { url, inputs, output, image }, threads, options) {
  const ort = await load('/onnxruntime/ort.wasm.bundle.min.mjs');
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = new URL('/onnxruntime/', location.href).href;
  ort.env.logLevel = 'error';
  const session = await ort.InferenceSession.create(url, { executionProviders: ['wasm'], ...options });
  return {
    label,
    info: { version: ort.env.versions.web },
    run: async ({ ids }) => {
      if (image) {
        const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', noise(image), image) };
        return (await session.run(feeds))[session.outputNames[0]].data;
      }
      const feeds = Object.fromEntries(
        session.inputNames
          .filter((/** @type {string} */ name) => inputs.includes(name))
          .map((/** @type {string} */ name, /** @type {number} */ index) => {
            const type = session.inputMetadata[index].type;
            const values = ids.map((id) => (name === 'input_ids' ? id : name === 'attention_mask' ? 1 : 0));
            const data = type === 'int64' ? BigInt64Array.from(values, BigInt) : Int32Array.from(values);
            return [name, new ort.Tensor(type, data, [1, ids.length])];
          }),
      );
      const results = await session.run(feeds);
      return results[output].data;
    },
    close: () => session.release(),
  };
}

/** @param {string} label @param {TaskSpec} spec @param {number} threads @param {object} options @returns {Promise<Engine>} */
async function openEdgewiseTask(label, { url, kind }, threads, options) {
  const { load: loadTask } = await load(`/edgewise/${kind}.js`);
  const task = await loadTask(new URL(url, location.href).href, { threads, worker: threads > 1, ...options });
  return {
    label,
    info: task.info,
    run: async ({ text }) => void (await task(text)),
    close: () => task.dispose(),
  };
}

/** @param {string} label @param {TaskSpec} spec @param {number} threads @returns {Promise<Engine>} */
async function openTransformers(label, { url, kind }, threads) {
  const { env, pipeline } = await load('/transformers/transformers.min.js');
  const runtime = new URL('/transformers-runtime/ort-wasm-simd-threaded.asyncify', location.href).href;
  env.allowLocalModels = true;
  env.allowRemoteModels = false;
  env.useBrowserCache = false;
  // A path, not an address: transformers.js takes only those for local.
  env.localModelPath = url.slice(0, url.lastIndexOf('/') + 1);
  env.backends.onnx.wasm.numThreads = threads;
  env.backends.onnx.wasm.wasmPaths = { mjs: `${runtime}.mjs`, wasm: `${runtime}.wasm` };
  const run = await pipeline(kind, url.split('/').at(-1), { device: 'wasm', dtype: 'q8' });
  const options = kind === 'feature-extraction' ? { pooling: 'mean', normalize: true } : {};
  return {
    label,
    info: { version: env.version },
    run: async ({ text }) => void (await run(text, options)),
    tokens: (text) => run.tokenizer(text).input_ids.dims.at(-1),
    close: () => run.dispose(),
  };
}

const bench = {
  /** Opens engines, in order; closes those opened before. @param {readonly EngineSpec[]} specs */
  async open(specs) {
    await bench.close();
    for (const spec of specs) engines.push(await open(spec));
    return engines.map(({ label, info }) => ({ label, info }));
  },

  /**
   * Milliseconds per engine and round. Every round runs each engine once, from a start that moves on, so that none
   * always follows the same neighbour.
   * @param {Input} input @param {{ rounds: number, warmUp: number }} counts
   * @returns {Promise<Record<string, number[]>>}
   */
  async measure(input, { rounds, warmUp }) {
    /** @type {Record<string, number[]>} */
    const times = Object.fromEntries(engines.map(({ label }) => [label, []]));
    for (let round = -warmUp; round < rounds; round++) {
      for (let index = 0; index < engines.length; index++) {
        const engine = engines[(index + round + warmUp) % engines.length];
        if (!engine) continue;
        const start = performance.now();
        await engine.run(input);
        if (round >= 0) times[engine.label]?.push(performance.now() - start);
      }
    }
    return times;
  },

  /** Cosine of each engine's output with the first engine's that has one. @param {Input} input */
  async agreement(input) {
    const outputs = [];
    for (const { label, run } of engines) {
      const values = await run(input);
      if (values) outputs.push({ label, values: Float64Array.from(values) });
    }
    const reference = outputs[0]?.values ?? new Float64Array();
    return outputs.map(({ label, values }) => ({
      label,
      cosine: cosine(reference, values),
      length: values.length,
    }));
  },

  /** The bits of each engine's output. @param {Input} input @returns {Promise<Record<string, number[]>>} */
  async bits(input) {
    /** @type {Record<string, number[]>} */
    const bits = {};
    for (const { label, run } of engines) {
      const values = await run(input);
      if (values) bits[label] = Array.from(new Int32Array(Float32Array.from(values).buffer));
    }
    return bits;
  },

  /** Tokens of a text as the first engine counts that can. @param {string} text */
  tokens(text) {
    return engines.find(({ tokens }) => tokens)?.tokens?.(text);
  },

  /** @param {string} mode of our engine */
  peakGops(mode) {
    return tilePeakGops(formOf(mode));
  },

  async close() {
    for (const engine of engines.splice(0)) await engine.close();
  },
};

Object.assign(globalThis, { bench });
