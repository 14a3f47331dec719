import {
  chooseVocabulary,
  compactEncoder,
  countTokens,
  measureFallback,
  narrowSequence,
  pruneEncoder,
  pruneVocabulary,
  restrictTokenizer,
  renumberConfig,
  runPasses,
  type EncoderShares,
  type Fallback,
  type Model,
  type PrunedLayer,
  type Vocabulary,
} from '@edgewise/compiler';
import { MANIFEST_FILE, readManifest } from '@edgewise/runtime/format';
import { loadTokenizer } from '@edgewise/runtime/tokenizer';
import { parseJson, type Json } from '../../model/config-json.ts';
import { formatPercent } from '../../terminal/format.ts';
import { activationsOpener } from './engine-activations.ts';
import type { Pipeline, PrunedModel, Work } from './pipeline.ts';
import { repackage } from './repackage.ts';
import { tokenSamples } from './token-samples.ts';

/** Least squares for a thousand neurons wants some thousand tokens. */
const REPAIR_SAMPLES = 600;

export interface PruneTextModelOptions {
  /** As it was read. */
  readonly model: Model;
  /** What the vocabulary is chosen and what is left is repaired with. */
  readonly calibration: readonly string[];
  /** Texts that the rate of words that are split differently is counted on. */
  readonly sentences: readonly string[];
}

/** Does the pruning steps of recipes for encoders of text. */
export function pruneTextModel(options: PruneTextModelOptions): NonNullable<Pipeline['prune']> {
  return async (steps, original, work) => {
    const { model } = await runPasses(options.model, compactEncoder(), { signal: work.signal });
    let pruned: PrunedModel = { model, source: original, notes: [] };
    for (const step of steps) {
      if (step.name === 'prune-vocabulary')
        pruned = await withoutWords(pruned, step.options.coverage, options);
      if (step.name === 'prune-encoder') pruned = await withoutParts(pruned, step.options, options, work);
    }
    // Last: repair learns from every token of the last layer.
    const { model: narrowed } = await runPasses(pruned.model, [narrowSequence()], { signal: work.signal });
    return { ...pruned, model: narrowed };
  };
}

async function withoutWords(
  { model, source, notes }: PrunedModel,
  coverage: number,
  { calibration, sentences }: PruneTextModelOptions,
): Promise<PrunedModel> {
  const { tokenizer: files } = readManifest(new TextDecoder().decode(source.get(MANIFEST_FILE)));
  const read = (name = ''): Json => parseJson(source.get(name), name);
  const tokenizer = read(files?.file);
  const before = await loadTokenizer(source);
  const counts = countTokens(calibration.map((text) => before(text).ids));
  const chosen = chooseVocabulary({ tokenizer, counts, coverage });
  const { ids } = chosen;
  const config = files?.configFile;
  const renumbered = config === undefined ? [] : [[config, renumberConfig(read(config), ids)] as const];
  const jsons = new Map([[files?.file ?? '', restrictTokenizer(tokenizer, ids)], ...renumbered]);
  const changed = await repackage(source, new Map([...jsons].map(([name, json]) => [name, toBytes(json)])));
  const after = await loadTokenizer(changed);
  const fallback = measureFallback({
    texts: sentences,
    before: (text) => before(text).ids,
    after: (text) => after(text).ids,
    ids,
    unknown: chosen.unknown,
  });
  const { model: smaller } = await runPasses(model, [pruneVocabulary({ ids })]);
  return { model: smaller, source: changed, notes: [...notes, vocabularyNote(chosen, coverage, fallback)] };
}

function vocabularyNote(
  { ids, before, coverage, unseen }: Vocabulary,
  wanted: number,
  { split, unknown }: Fallback,
): string {
  const more = unseen > 1 - wanted ? ' (with more calibration texts, less)' : '';
  return (
    `Vocabulary: ${ids.size} of ${before} tokens stay, ${formatPercent(coverage)} of those in the calibration texts, ` +
    `which miss about ${formatPercent(unseen)} of those in other texts${more}. ` +
    `${formatPercent(split)} of the words of the data are split differently, ${formatPercent(unknown)} became unknown.`
  );
}

async function withoutParts(
  { model, source, notes }: PrunedModel,
  shares: EncoderShares,
  { calibration }: PruneTextModelOptions,
  { progress, signal }: Work,
): Promise<PrunedModel> {
  const samples = await tokenSamples(model, source, calibration.slice(0, REPAIR_SAMPLES));
  const { model: smaller, ...parts } = await pruneEncoder(model, {
    ...shares,
    open: activationsOpener(samples, signal),
    samples,
    signal,
    onProgress: progress.update,
  });
  const what = [
    ...(parts.layers.length > 0 ? [`layers ${parts.layers.join(', ')}`] : []),
    ...(parts.heads.length > 0 ? [`of the attention heads ${lists(parts.heads)}`] : []),
    ...(parts.neurons.length > 0
      ? [`${removedCount(parts.neurons)} neurons of the feed-forward layers`]
      : []),
  ];
  const note = `Removed: ${what.join('; ')}. What is left was fitted on ${samples.length} calibration texts.`;
  return { model: smaller, source, notes: [...notes, note] };
}

/** `0, 3 in layer 1` for each layer. */
function lists(layers: readonly PrunedLayer[]): string {
  return layers.map(({ layer, removed }) => `${removed.join(', ')} in layer ${layer}`).join(', ');
}

function removedCount(layers: readonly PrunedLayer[]): number {
  return layers.reduce((sum, { removed }) => sum + removed.length, 0);
}

function toBytes(json: Json): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(json));
}
