// onnxruntime's quantize_static, by oracles/quantize_static.py.
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runToEnd } from './children.mjs';
import { CACHE } from './models.mjs';
import { openOnnx } from './onnxruntime.mjs';

/** Its defaults, and what its guide recommends with each way to find ranges. */
const STATIC = [
  { scheme: 'onnxruntime, defaults', flags: [] },
  ...['minmax', 'entropy', 'percentile'].map(perChannel),
];
/** Not for convolutional networks: its products of convolutions on bytes are slower than those of floats. */
const DYNAMIC = perChannel('dynamic');

/** @param {string} method */
function perChannel(method) {
  const flags = ['--prepare', '--per-channel', '--method', method];
  return { scheme: `onnxruntime, per channel, ${method}`, flags };
}

/** Collectors of histograms keep all activations of the samples that they are given at once: of small ones all, of others so many. */
const MAX_STRIDE = 10;
const SMALL_NUMBERS = 5e6;
const oracle = (/** @type {string} */ name) =>
  fileURLToPath(new URL(`../../oracles/${name}`, import.meta.url));

/** @param {string} name of a model @param {string} scheme */
export function modelPath(name, scheme) {
  const folder = join(CACHE, 'quantization');
  mkdirSync(folder, { recursive: true });
  return join(folder, `${name}.${scheme.replaceAll(/\W+/g, '-')}.onnx`);
}

/**
 * Each setting's model, made once, or why there is none: `error`; or what it fails with unless it adjusts no weights for biases: `without`.
 * @param {import('./subjects/subject.mjs').Subject} subject @param {string} python
 * @returns {AsyncGenerator<import('./candidates.mjs').Candidate & { without?: string }>}
 */
export async function* theirCandidates({ name, recipes, file, calibration, states }, python) {
  const samples = modelPath(name, 'samples').replace(/onnx$/, 'json');
  writeSamples(samples, calibration);
  const stride = strideOf(calibration);
  for (const { scheme, flags } of [...STATIC, ...(recipes === 'conv-net' ? [] : [DYNAMIC])]) {
    const path = modelPath(name, scheme);
    const args = [oracle('quantize_static.py'), file, samples, path, '--stride', String(stride), ...flags];
    const report = `${path}.json`;
    if (!existsSync(report)) {
      const { stdout } = await runToEnd(python, args);
      // Its progress comes before.
      const [remark = '{}'] = /^{"(error|without)".*}$/m.exec(stdout) ?? [];
      writeFileSync(report, remark.includes('"error"') ? remark : await checked(path, remark));
    }
    const { error, ...remark } = JSON.parse(readFileSync(report, 'utf8'));
    const bytes = error === undefined ? statSync(path).size : 0;
    yield { scheme, bytes, open: () => openOnnx(path, states), ...(error && { error }), ...remark };
  }
}

/** The remark, or why onnxruntime does not run the model. @param {string} path @param {string} remark */
async function checked(path, remark) {
  try {
    await (await openOnnx(path)).close();
    return remark;
  } catch (error) {
    return JSON.stringify({ error: /** @type {Error} */ (error).message });
  }
}

/** As oracles/samples.py reads them. @param {string} path @param {readonly import('./onnxruntime.mjs').Feed[]} feeds */
function writeSamples(path, feeds) {
  /** @type {Uint8Array[]} */
  const parts = [];
  let offset = 0;
  const entries = feeds.map((feed) =>
    Object.fromEntries(
      Object.entries(feed).map(([input, { type: dtype, dims, data }]) => {
        const { buffer, byteOffset, byteLength } = /** @type {Float32Array} */ (data);
        const entry = { dtype, dims, offset };
        parts.push(new Uint8Array(buffer, byteOffset, byteLength));
        offset += byteLength;
        return [input, entry];
      }),
    ),
  );
  writeFileSync(path, JSON.stringify(entries));
  writeFileSync(path.replace(/json$/, 'bin'), Buffer.concat(parts));
}

/** How many samples at a time: a divisor of their number; 1 where their shapes differ. @param {readonly import('./onnxruntime.mjs').Feed[]} feeds */
function strideOf(feeds) {
  const shapes = feeds.map((feed) =>
    Object.entries(feed)
      .map(([input, { dims }]) => `${input}: ${dims.join()}`)
      .toSorted()
      .join('; '),
  );
  if (new Set(shapes).size > 1) return 1;
  const numbers = feeds.flatMap((feed) => Object.values(feed).map(({ size }) => size));
  if (numbers.reduce((sum, size) => sum + size, 0) < SMALL_NUMBERS) return feeds.length;
  let divisor = Math.min(feeds.length, MAX_STRIDE);
  while (feeds.length % divisor !== 0) divisor--;
  return divisor;
}
