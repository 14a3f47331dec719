import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../command/usage-error.ts';
import { readInput } from '../files/read-input.ts';
import { isMultiLabel, labelsOf, parseJson, readJson, readOptional, type Json } from './config-json.ts';
import { findModel, type ModelPlace } from './find-model.ts';

/** A Hugging Face style folder of a text model: the model with what an app needs around it. */
export interface TextModel extends ModelPlace {
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
export async function readTextModel(path: string): Promise<TextModel> {
  const place = findModel(path, 'tokenizer.json and config.json');
  const { folder } = place;
  const tokenizerPath = join(folder, 'tokenizer.json');
  if (!existsSync(tokenizerPath))
    throw new UsageError(
      `${folder} has no tokenizer.json.`,
      'Text tasks need the tokenizer that the model was trained with; for image models name the --task.',
    );
  const [tokenizer, config, tokenizerConfig, pooling, modules] = await Promise.all([
    readInput(tokenizerPath),
    readJson(join(folder, 'config.json')),
    readOptional(join(folder, 'tokenizer_config.json')),
    readJson(join(folder, '1_Pooling', 'config.json')),
    readOptional(join(folder, 'modules.json')),
  ]);
  return {
    ...place,
    tokenizer,
    ...(tokenizerConfig === undefined ? {} : { tokenizerConfig }),
    labels: labelsOf(config),
    multiLabel: isMultiLabel(config),
    maxTokens: maxTokens(config, parseJson(tokenizerConfig, 'tokenizer_config.json')),
    pooling: pooling['pooling_mode_cls_token'] === true ? 'cls' : 'mean',
    // A list of the modules of sentence-transformers.
    normalize: new TextDecoder().decode(modules).includes('Normalize'),
  };
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
