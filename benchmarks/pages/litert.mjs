// LiteRT.js on one thread of the CPU (XNNPACK in WebAssembly), for bench.mjs.

/**
 * @typedef {object} LiteRtSpec
 * @property {true} litert
 * @property {string} label
 * @property {string} url of the .tflite file
 * @property {readonly number[]} values of the only input, quantized where the model's input is
 * @property {readonly number[]} shape
 * @property {'float32' | 'uint8' | 'int8'} type
 * @property {number} scale of the output: a value is (q − zeroPoint) × scale
 * @property {number} zeroPoint
 * @typedef {import('./bench.mjs').Engine} Engine
 */

const ARRAYS = { float32: Float32Array, uint8: Uint8Array, int8: Int8Array };

/** The library is loaded once. @type {Promise<any> | undefined} */
let loading;

/** @returns {Promise<any>} */
async function loadLibrary() {
  const url = '/litert/index.js';
  const library = await import(url);
  await library.loadLiteRt('/litert/wasm/');
  return library;
}

/** @param {LiteRtSpec} spec @returns {Promise<Engine>} */
export async function openLiteRt({ label, url, values, shape, type, scale, zeroPoint }) {
  loading ??= loadLibrary();
  const { loadAndCompile, Tensor } = await loading;
  const model = await loadAndCompile(url, { accelerator: 'wasm', cpuOptions: { numThreads: 1 } });
  const data = ARRAYS[type].from(values);
  return {
    label,
    info: { accelerated: model.isFullyAccelerated },
    run: async () => {
      const input = new Tensor(data, shape);
      const [output] = await model.run(input);
      const result = Float32Array.from(output.toTypedArray(), (q) => (q - zeroPoint) * scale);
      input.delete();
      output.delete();
      return result;
    },
    close: () => model.delete(),
  };
}
