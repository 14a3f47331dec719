import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where benchmarks put what they make; git ignores it. */
export const CACHE = fileURLToPath(new URL('../../.cache/benchmarks', import.meta.url));

/**
 * A model's folder, which holds model.onnx (float), tokenizer.json, config.json and onnxruntime's int8 variants.
 * @param {{ models: string }} options where the models are @param {string} name
 */
export function modelFolder(options, name) {
  const folder = resolve(options.models, name);
  if (existsSync(join(folder, 'model.onnx'))) return folder;
  throw new Error(
    `${folder} has no model.onnx; benchmarks/README.md says how to make the models, --models where they are`,
  );
}

/** The int8 models made with onnxruntime's tools: `model_int8*.onnx`. @param {string} folder */
export function int8Variants(folder) {
  const names = readdirSync(folder).filter((name) => /^model_int8.*\.onnx$/.test(name));
  if (names.length === 0)
    throw new Error(`${folder} has no model_int8*.onnx: make it with oracles/shapes.py`);
  return names.sort();
}

/**
 * Lays a model out as transformers.js wants it, by links.
 * @param {string} folder @param {string} name @param {string} int8 file in `folder` that dtype q8 loads
 */
export function layOutForTransformers(folder, name, int8) {
  const parent = join(CACHE, 'transformers');
  const target = join(parent, name);
  rmSync(target, { recursive: true, force: true });
  mkdirSync(join(target, 'onnx'), { recursive: true });
  for (const file of ['config.json', 'tokenizer.json', 'tokenizer_config.json']) {
    symlinkSync(join(folder, file), join(target, file));
  }
  symlinkSync(join(folder, int8), join(target, 'onnx', 'model_quantized.onnx'));
  return parent;
}
