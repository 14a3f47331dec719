import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { UsageError } from '../command/usage-error.ts';
import { readInput } from './read-input.ts';

/** A Hugging Face style folder: the model with what an app needs around it. */
export interface ModelFolder {
  readonly name: string;
  readonly path: string;
  readonly onnxPath: string;
  readonly tokenizer: Uint8Array;
  readonly tokenizerConfig?: Uint8Array;
  /** Class names by index, from config.json's id2label. */
  readonly labels: readonly string[];
  readonly multiLabel: boolean;
  /** Most tokens of an input that the model was made for. */
  readonly maxTokens: number;
  readonly pooling: 'mean' | 'cls';
  readonly normalize: boolean;
}

/** Longer than any encoder's context; Hugging Face writes 1e30 where there is no limit. */
const LONGEST = 100_000;
const DEFAULT_MAX_TOKENS = 512;
/** RoBERTa counts its positions from the padding index + 1. */
const ROBERTA_OFFSET = 2;

/**
 * Reads model.onnx (or onnx/model.onnx), tokenizer.json, tokenizer_config.json, config.json and, for sentence
 * embeddings, modules.json and 1_Pooling/config.json.
 * @throws UsageError naming what is missing or unreadable
 */
export async function readModelFolder(path: string): Promise<ModelFolder> {
  if (!existsSync(path)) throw new UsageError(`${path} does not exist.`, 'Give a folder with model.onnx.');
  const isFolder = statSync(path).isDirectory();
  if (!isFolder && !path.endsWith('.onnx'))
    throw new UsageError(
      `${path} is no ONNX model.`,
      'Give a folder with model.onnx, tokenizer.json and config.json, or the .onnx file in it.',
    );
  const folder = isFolder ? path : dirname(path);
  const onnxPath = isFolder ? findOnnx(path) : path;
  const tokenizerPath = join(folder, 'tokenizer.json');
  if (!existsSync(tokenizerPath))
    throw new UsageError(
      `${folder} has no tokenizer.json.`,
      'Text tasks need the tokenizer that the model was trained with.',
    );
  const [tokenizer, config, tokenizerConfig, pooling, modules] = await Promise.all([
    readInput(tokenizerPath),
    readJson(join(folder, 'config.json')),
    readOptional(join(folder, 'tokenizer_config.json')),
    readJson(join(folder, '1_Pooling', 'config.json')),
    readJson(join(folder, 'modules.json')),
  ]);
  return {
    name: basename(resolve(folder)),
    path: folder,
    onnxPath,
    tokenizer,
    ...(tokenizerConfig === undefined ? {} : { tokenizerConfig }),
    labels: labelsOf(config['id2label']),
    multiLabel: config['problem_type'] === 'multi_label_classification',
    maxTokens: maxTokens(config, parseJson(tokenizerConfig, 'tokenizer_config.json')),
    pooling: pooling['pooling_mode_cls_token'] === true ? 'cls' : 'mean',
    normalize: JSON.stringify(modules).includes('Normalize'),
  };
}

function findOnnx(folder: string): string {
  const found = ['model.onnx', join('onnx', 'model.onnx')].map((name) => join(folder, name)).find(existsSync);
  if (found === undefined)
    throw new UsageError(
      `${folder} has no model.onnx.`,
      'Export the model to ONNX, for example with optimum.',
    );
  return found;
}

type Json = Readonly<Record<string, unknown>>;

async function readJson(path: string): Promise<Json> {
  return parseJson(await readOptional(path), path);
}

function parseJson(bytes: Uint8Array | undefined, name: string): Json {
  if (bytes === undefined) return {};
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === 'object' && value !== null ? (value as Json) : {};
  } catch (cause) {
    throw new UsageError(`${name} is not JSON: ${(cause as Error).message}`);
  }
}

async function readOptional(path: string): Promise<Uint8Array | undefined> {
  return existsSync(path) ? readInput(path) : undefined;
}

function labelsOf(id2label: unknown): readonly string[] {
  if (typeof id2label !== 'object' || id2label === null) return [];
  return Object.entries(id2label)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, label]) => String(label));
}

function maxTokens(config: Json, tokenizerConfig: Json): number {
  const positions = Number(config['max_position_embeddings']);
  const offset = ['roberta', 'xlm-roberta', 'camembert'].includes(String(config['model_type']))
    ? ROBERTA_OFFSET
    : 0;
  const limits = [positions - offset, Number(tokenizerConfig['model_max_length'])];
  const known = limits.filter((limit) => limit > 0 && limit < LONGEST);
  return known.length === 0 ? DEFAULT_MAX_TOKENS : Math.min(...known);
}
