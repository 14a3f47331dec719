// Sessions of onnxruntime-node, one thread each.
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { denseTensor, expandEdgewise, writeOnnx } from '@edgewise/compiler';

// Must be set before onnxruntime is loaded.
process.env['ORT_DISABLE_TELEMETRY'] = '1';
export const { InferenceSession, Tensor } = await import('onnxruntime-node');

/**
 * @typedef {import('@edgewise/compiler').Model} Model
 * @typedef {Readonly<Record<string, import('onnxruntime-node').Tensor>>} Feed by input
 * @typedef {Readonly<Record<string, { dims: readonly number[], data: Float32Array }>>} Outputs by name
 * @typedef {{ run: (feed: Feed) => Promise<Outputs>, close: () => unknown }} Runner
 */

const OPTIONS = { intraOpNumThreads: 1, logSeverityLevel: /** @type {const} */ (4) };
/** Without VNNI, onnxruntime's products of 8-bit weights saturate in 16 bits unless it is told to be exact. */
const EXACT = { ...OPTIONS, extra: { session: { x64quantprecision: '1' } } };

/** @param {readonly number[]} dims @param {Float32Array} data */
export const float32 = (dims, data) => new Tensor('float32', data, dims);

/**
 * Inputs that a feed lacks are outputs of the run before it.
 * @param {string | Uint8Array} model a file or its bytes @param {Readonly<Record<string, string>>} [states] outputs by input
 * @returns {Promise<Runner>}
 */
export async function openOnnx(model, states = {}) {
  const bytes = typeof model === 'string' ? readFileSync(model) : model;
  const session = await InferenceSession.create(bytes, EXACT).catch(() =>
    // onnxruntime cannot convert weights that several operators share; with VNNI it need not.
    InferenceSession.create(bytes, OPTIONS),
  );
  /** @type {import('onnxruntime-node').InferenceSession.OnnxValueMapType} */
  let last = {};
  return {
    run: async (feed) => {
      last = await session.run({ ...carried(states, last), ...feed });
      return /** @type {Outputs} */ (/** @type {unknown} */ (last));
    },
    close: () => session.release(),
  };
}

/** @param {Readonly<Record<string, string>>} states @param {Readonly<Record<string, unknown>>} outputs */
const carried = (states, outputs) =>
  /** @type {Feed} */ (
    Object.fromEntries(
      Object.entries(states).flatMap(([input, output]) =>
        output in outputs ? [[input, outputs[output]]] : [],
      ),
    )
  );

/**
 * Feeds with the states that the float model would have come to. @param {string} file
 * @param {readonly Feed[]} feeds @param {Readonly<Record<string, string>>} states
 */
export async function withStates(file, feeds, states) {
  const runner = await openOnnx(file);
  const whole = [];
  let last = {};
  for (const feed of feeds) {
    const all = { ...carried(states, last), ...feed };
    whole.push(all);
    last = await runner.run(all);
  }
  await runner.close();
  return whole;
}

/**
 * Observes the values of a compact graph, as outputs of the float model.
 * @template T
 * @param {Model} model @param {readonly Feed[]} feeds
 * @param {(model: Model, run: import('@edgewise/compiler').ActivationRunner, samples: import('@edgewise/compiler').Samples) => Promise<T>} how
 */
export async function observeWith(model, feeds, how) {
  const inputs = model.graph.inputs.map(({ name }) => name);
  const samples = feeds.map(
    (feed) =>
      new Map(
        inputs.map((name) => {
          const { type, dims, data } = /** @type {import('onnxruntime-node').Tensor} */ (feed[name]);
          return [
            name,
            denseTensor(type === 'int64' ? 'int64' : 'float32', dims, /** @type {Float32Array} */ (data)),
          ];
        }),
      ),
  );
  /** @type {Runner | undefined} */
  let runner;
  let next = 0;
  const seen = await how(
    model,
    async (sample, want, emit) => {
      runner ??= await openOnnx(
        withOutputs(
          model,
          want.filter((name) => !inputs.includes(name)),
        ),
      );
      const feed = Object.fromEntries(inputs.map((name) => [name, feeds[next]?.[name]]));
      next++;
      const outputs = await runner.run(/** @type {Feed} */ (feed));
      for (const [name, { dims, data }] of Object.entries(outputs))
        emit(name, denseTensor('float32', dims, data));
      sample.forEach((tensor, name) => emit(name, tensor));
    },
    samples,
  );
  await runner?.close();
  return seen;
}

/** @param {Model} model @param {readonly string[]} want */
function withOutputs(model, want) {
  const expanded = expandEdgewise(model);
  expanded.graph.outputs = want.map((name) => ({ name, type: { kind: 'tensor', dtype: 'float32' } }));
  return writeOnnx(expanded).bytes;
}
