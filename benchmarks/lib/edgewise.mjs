// Makes packages with our compiler, as a user's script would.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  buildPackage,
  compactEncoder,
  compileActivations,
  compileEdge,
  denseTensor,
  linearInputs,
  observeActivations,
  quantizeEmbeddings,
  quantizeLinears,
  quantizeWeightsInt4,
  readOnnx,
  runPasses,
} from '@edgewise/compiler';
import { piecesOf } from '@edgewise/runtime/format';
import { createSession } from '@edgewise/runtime/node';
import { CACHE } from './models.mjs';

/**
 * Dynamic activations, and weights rounded each by itself: neither needs calibration. lib/candidates.mjs has what does.
 * @typedef {object} Recipe
 * @property {7 | 8} [weightBits] undefined: float
 * @property {4 | 8} [embeddingBits]
 * @property {4 | 8} [storageBits]
 */

/** @type {Readonly<Record<string, Recipe>>} */
export const RECIPES = {
  float32: {},
  'w7a8-dynamic': { weightBits: 7, embeddingBits: 8 },
  'w8a8-dynamic': { weightBits: 8, embeddingBits: 8 },
  'w7a8-dynamic+int4-embeddings': { weightBits: 7, embeddingBits: 4 },
  'w7a8-dynamic+int4': { weightBits: 7, embeddingBits: 4, storageBits: 4 },
};

/**
 * @typedef {object} PackageRequest
 * @property {string} folder of the float model.onnx, its tokenizer and config
 * @property {string} name
 * @property {'feature-extraction' | 'text-classification'} task
 * @property {string} recipe key of RECIPES
 * @property {number} [maxSequence] default 512
 */

/**
 * Compiles a model and writes its package into the cache.
 * @param {PackageRequest} request
 */
export async function edgewisePackage(request) {
  const { folder, name, task, recipe, maxSequence = 512 } = request;
  const compact = await compactModel(folder);
  const quantized = await quantize(compact, RECIPES[recipe] ?? {});
  const { model, files } = compileEdge(quantized, { maxSequence });
  const tokenizer = ['tokenizer.json', 'tokenizer_config.json'];
  const packageFiles = await buildPackage({
    description: {
      name,
      task,
      recipe,
      tokenizer: { file: 'tokenizer.json', configFile: 'tokenizer_config.json', maxLength: maxSequence },
      ...(task === 'text-classification'
        ? { labels: labelsOf(folder) }
        : { pooling: 'mean', normalize: true }),
    },
    model,
    sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
    files: new Map([
      ...files,
      ...tokenizer.map((file) => /** @type {const} */ ([file, readFileSync(join(folder, file))])),
    ]),
  });
  const id = `${name}-${recipe.replaceAll('+', '-')}`;
  const target = join(CACHE, 'packages', id);
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  for (const [file, bytes] of packageFiles) writeFileSync(join(target, basename(file)), bytes);
  return { id, folder: target, model };
}

/** @param {string} folder */
async function compactModel(folder) {
  const imported = readOnnx(readFileSync(join(folder, 'model.onnx')));
  const { model } = await runPasses(imported, compactEncoder());
  return model;
}

/** @param {import('@edgewise/compiler').Model} model @param {Recipe} recipe */
async function quantize(model, { weightBits, embeddingBits, storageBits = 8 }) {
  if (weightBits === undefined) return model;
  const { model: quantized } = await runPasses(model, [
    storageBits === 4 ? quantizeWeightsInt4({ computeBits: weightBits }) : quantizeLinears({ weightBits }),
    ...(embeddingBits === undefined ? [] : [quantizeEmbeddings({ bits: embeddingBits })]),
  ]);
  return quantized;
}

/** @param {string} folder */
function labelsOf(folder) {
  /** @type {{ id2label?: Record<string, string> }} */
  const { id2label = { 0: 'LABEL_0', 1: 'LABEL_1' } } = JSON.parse(
    readFileSync(join(folder, 'config.json'), 'utf8'),
  );
  return Object.values(id2label);
}

/** Ranges and second moments of `Linear` inputs, found on our engine as `edgewise optimize` does. @param {import('@edgewise/compiler').Model} model @param {readonly (readonly number[])[]} calibration */
export async function observeOnEngine(model, calibration) {
  const maxSequence = Math.max(...calibration.map(({ length }) => length));
  const artifact = compileActivations(model, linearInputs(model), { maxSequence });
  const session = await openArtifact(artifact, { outputViews: true });
  const samples = calibration.map(
    (ids) => new Map([['ids', denseTensor('int64', [1, ids.length], BigInt64Array.from(ids, BigInt))]]),
  );
  let next = 0;
  const seen = await observeActivations(
    model,
    async (_, want, emit) => {
      const outputs = await session.run({ input_ids: calibration[next++] ?? [] });
      for (const name of want) {
        const { shape = [], data = new Float32Array() } = outputs[name] ?? {};
        emit(name, denseTensor('float32', shape, data));
      }
    },
    samples,
  );
  session.dispose();
  return seen;
}

/** @param {import('@edgewise/compiler').EdgeArtifact<import('@edgewise/runtime/format').FileContent>} artifact @param {import('@edgewise/runtime/node').SessionOptions} [options] */
export async function openArtifact(artifact, options = {}) {
  const sha256 = (/** @type {import('@edgewise/runtime/format').FileContent} */ content) => {
    const hash = createHash('sha256');
    for (const piece of piecesOf(content)) hash.update(piece);
    return hash.digest('hex');
  };
  const files = await buildPackage({
    description: { name: 'benchmark', task: 'benchmark' },
    sha256,
    ...artifact,
  });
  return createSession(files, { threads: 1, ...options });
}
