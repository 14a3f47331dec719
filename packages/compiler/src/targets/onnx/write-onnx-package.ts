import { CompilerError } from '../../diagnostics/index.ts';
import { writeOnnx } from '../../import/onnx/index.ts';
import type { Model } from '../../ir/index.ts';
import { expandEdgewise, type ExpandEdgewiseOptions } from './expand-edgewise.ts';

export interface OnnxPackageParts {
  /** The float model: `onnx/model.onnx`, dtype fp32. */
  readonly float?: Model;
  /** The quantized model: `onnx/model_quantized.onnx`, dtype q8. */
  readonly quantized?: Model;
  /** What lies beside them, by name: config.json, tokenizer.json, tokenizer_config.json, … config.json is required. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly expand?: ExpandEdgewiseOptions;
}

/** Inputs that transformers.js gives to text encoders. */
const ENCODER_INPUTS: ReadonlySet<string> = new Set(['input_ids', 'attention_mask', 'token_type_ids']);

const CONFIG = 'config.json';

/** transformers.js decides by the second whether there is a tokenizer, and then fetches both. */
const TOKENIZER_FILES = ['tokenizer.json', 'tokenizer_config.json'] as const;

/**
 * The files of an ONNX package by path, laid out so that transformers.js loads the folder as it is:
 * `pipeline('text-classification', folder)`. config.json gets a `transformers.js_config.dtype` that picks the quantized
 * model when there is one, unless it names a dtype already.
 * @throws CompilerError `bad-option` for missing parts, `bad-file` for a config.json that is none, `unsupported` for
 * inputs that transformers.js does not give.
 */
export function writeOnnxPackage(parts: OnnxPackageParts): Map<string, Uint8Array> {
  const { float, quantized, files, expand } = parts;
  if (float === undefined && quantized === undefined)
    throw new CompilerError('bad-option', 'an ONNX package needs a float model, a quantized one, or both');
  checkTokenizer(files);
  const result = new Map(files);
  result.set(CONFIG, configWithDtype(files.get(CONFIG), quantized === undefined ? 'fp32' : 'q8'));
  for (const [path, model] of [
    ['onnx/model.onnx', float],
    ['onnx/model_quantized.onnx', quantized],
  ] as const) {
    if (model === undefined) continue;
    checkInputs(path, model);
    result.set(path, writeOnnx(expandEdgewise(model, expand)).bytes);
  }
  return result;
}

function checkTokenizer(files: ReadonlyMap<string, Uint8Array>): void {
  const [present, missing] = [true, false].map((has) =>
    TOKENIZER_FILES.find((name) => files.has(name) === has),
  );
  if (present === undefined || missing === undefined) return;
  throw new CompilerError('bad-option', `there is a ${present} but no ${missing}`, {
    at: { file: missing },
    hint: 'take both from the checkpoint; transformers.js needs them together',
  });
}

function checkInputs(file: string, { graph }: Model): void {
  const strange = graph.inputs.filter(
    ({ name }) => !ENCODER_INPUTS.has(name) && !graph.initializers.has(name),
  );
  if (strange.length === 0) return;
  const names = strange.map(({ name }) => `'${name}'`).join(', ');
  throw new CompilerError('unsupported', `${file}: transformers.js gives no input ${names}`, {
    at: { file, value: strange[0]?.name ?? '' },
    hint: `rename the inputs to ${[...ENCODER_INPUTS].join(', ')} when exporting`,
  });
}

function configWithDtype(bytes: Uint8Array | undefined, dtype: string): Uint8Array {
  if (bytes === undefined)
    throw new CompilerError('bad-option', 'an ONNX package needs a config.json', {
      at: { file: CONFIG },
      hint: 'take it from the checkpoint: transformers.js reads model_type and id2label from it',
    });
  const config = parseConfig(bytes);
  const key = 'transformers.js_config';
  const present = config[key];
  const settings = { dtype, ...(typeof present === 'object' ? present : {}) };
  return new TextEncoder().encode(`${JSON.stringify({ ...config, [key]: settings }, undefined, 2)}\n`);
}

function parseConfig(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new CompilerError('bad-file', `${CONFIG} is not JSON: ${(cause as Error).message}`, {
      at: { file: CONFIG },
      cause,
    });
  }
  if (typeof value === 'object' && value !== null && 'model_type' in value)
    return value as Record<string, unknown>;
  throw new CompilerError('bad-file', `${CONFIG} names no model_type`, {
    at: { file: CONFIG },
    hint: 'use the config.json of the Hugging Face checkpoint',
  });
}
