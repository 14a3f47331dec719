import { CompilerError } from '../../diagnostics/index.ts';
import { typedData, type Model } from '../../ir/index.ts';
import { GraphIndex, runPasses, type Transform } from '../../rewrite/index.ts';
import { chooseLayers } from './choose-layers.ts';
import { encoderLayers, float32Input, type EncoderLayer, type LayerPart } from './encoder-layers.ts';
import { fitPart } from './fit-part.ts';
import type { FittedProjection } from '../least-squares/fit-projection.ts';
import { pruneHeads } from './prune-heads.ts';
import { pruneNeurons } from './prune-neurons.ts';
import { refitProjection, type RefitProjectionOptions } from './refit-projection.ts';
import { removeLayers } from './remove-layers.ts';
import type { CalibrationData } from '../run-together.ts';

/** Shares that stay, above 0 and at most 1. */
export type EncoderShares = {
  /** Of the layers. Default 1. */
  readonly layers?: number;
  /** Of each layer's attention heads. Default 1. */
  readonly heads?: number;
  /** Of each layer's feed-forward neurons; what stays is a multiple of 8. Default 1. */
  readonly neurons?: number;
};

export interface PruneEncoderOptions extends CalibrationData, EncoderShares {
  /**
   * Whether the projections behind what went are fitted to what the model did before. Without it what is left stays as it was: for
   * comparison.
   * Default true.
   */
  readonly repair?: boolean;
  /** Pull of the fit towards the weights as they are, as a share of the mean square of an input. Default 0.01. */
  readonly damping?: number;
  readonly onProgress?: (what: string) => void;
}

export const PRUNE_ENCODER_DEFAULTS: Required<
  EncoderShares & Pick<PruneEncoderOptions, 'repair' | 'damping'>
> = {
  layers: 1,
  heads: 1,
  neurons: 1,
  repair: true,
  damping: 0.01,
};

/** What went from a layer, by numbers in the model as it came. */
export interface PrunedLayer {
  readonly layer: number;
  readonly removed: readonly number[];
}

export interface PrunedEncoder {
  readonly model: Model;
  /** Layers that went. */
  readonly layers: readonly number[];
  readonly heads: readonly PrunedLayer[];
  readonly neurons: readonly PrunedLayer[];
}

/** The engine's kernels compute eight columns at a time. */
const NEURON_MULTIPLE = 8;

/**
 * Removes whole layers, attention heads and feed-forward neurons of a compact float encoder, without training. Layers go first
 * (`chooseLayers`). Then every projection behind something that went is fitted by least squares, first to last, on the inputs that it
 * has in the pruned model, so that its sum with the residual is what the float model's was; heads and neurons are chosen
 * on the way (`eliminateGroups`).
 *
 * ```ts
 * const { model, heads } = await pruneEncoder(compact, { heads: 0.5, neurons: 0.7, open, samples });
 * ```
 * Run it after `compactEncoder` and before `narrowSequence`, which would leave the last layer a single row to learn from.
 * @throws CompilerError `bad-option` for shares outside 0 to 1; what `encoderLayers` and `runTogether` throw.
 */
export async function pruneEncoder(float: Model, given: PruneEncoderOptions): Promise<PrunedEncoder> {
  const options = { ...PRUNE_ENCODER_DEFAULTS, ...given };
  checkShares(options);
  const total = encoderLayers(float).length;
  const count = total - Math.max(1, Math.round(total * options.layers));
  const layers = await chooseLayers(float, { ...options, count });
  const kept = others(total, layers);
  const pruned = { heads: [] as PrunedLayer[], neurons: [] as PrunedLayer[] };
  let { model } = await runPasses(float, [removeLayers({ layers })]);
  let isChanged = kept[0] !== 0;
  for (const place of placesIn(kept, total)) {
    const { what, size, stays, prune } = PARTS[place.part];
    const before = size(encoderLayers(model)[place.layer]!);
    const remove = options[what] === 1 ? 0 : Math.max(0, before - stays(before * options[what]));
    isChanged ||= remove > 0 || place.target !== place.original;
    if (remove === 0 && !(isChanged && options.repair)) continue;
    options.onProgress?.(`layer ${place.original}, ${what}`);
    const fitted = await fitPart({ ...options, ...place, float, model, remove }, options);
    const removal = prune({ layer: place.layer, keep: fitted.keep });
    const passes = options.repair ? [removal, refit(float, place, fitted)] : [removal];
    ({ model } = await runPasses(model, passes));
    if (remove > 0) pruned[what].push({ layer: place.original, removed: others(before, fitted.keep) });
  }
  return { model, layers, ...pruned };
}

interface Place {
  /** Number of the layer now, and in the model as it came. */
  readonly layer: number;
  readonly original: number;
  readonly part: LayerPart;
  /** Layer of the float model whose part is to be imitated. */
  readonly target: number;
}

/** The parts of the layers that are left. What ends before a gap does the work of the layers in it. */
function placesIn(kept: readonly number[], total: number): Place[] {
  return kept.flatMap((original, layer) => [
    { layer, original, part: 'attention', target: original },
    { layer, original, part: 'feedForward', target: (kept[layer + 1] ?? total) - 1 },
  ]);
}

/** A part that does the work of a later layer gets that layer's normalization too. */
function refit(
  float: Model,
  { layer, original, part, target }: Place,
  { weight, bias }: FittedProjection,
): Transform {
  const norm = target === original ? {} : { norm: normOf(float, target) };
  return refitProjection({ layer, part, weight, bias, ...norm });
}

interface PrunablePart {
  readonly what: 'heads' | 'neurons';
  readonly size: (layer: EncoderLayer) => number;
  /** Whole numbers that can stay; at least one does. */
  readonly stays: (count: number) => number;
  readonly prune: (options: { readonly layer: number; readonly keep: readonly number[] }) => Transform;
}

const PARTS: Readonly<Record<LayerPart, PrunablePart>> = {
  attention: {
    what: 'heads',
    size: ({ headCount }) => headCount,
    stays: (count) => Math.max(1, Math.round(count)),
    prune: pruneHeads,
  },
  feedForward: {
    what: 'neurons',
    size: ({ neuronCount }) => neuronCount,
    stays: (count) => NEURON_MULTIPLE * Math.max(1, Math.round(count / NEURON_MULTIPLE)),
    prune: pruneNeurons,
  },
};

/** The numbers below `count` that are not listed. */
function others(count: number, listed: readonly number[]): number[] {
  const known = new Set(listed);
  return Array.from({ length: count }, (_, each) => each).filter((each) => !known.has(each));
}

function normOf(model: Model, layer: number): NonNullable<RefitProjectionOptions['norm']> {
  const { norm } = encoderLayers(model)[layer]!.parts.feedForward;
  const index = new GraphIndex(model.graph);
  const [gamma, beta] = [2, 3].map((slot) => typedData(float32Input(norm, slot, index)));
  return { gamma: gamma!, beta: beta! };
}

function checkShares(options: Required<EncoderShares>): void {
  for (const what of ['layers', 'heads', 'neurons'] as const) {
    const share = options[what];
    if (!(share > 0 && share <= 1))
      throw new CompilerError(
        'bad-option',
        `pruneEncoder: ${what} must be a share above 0 and at most 1, got ${share}`,
      );
  }
}
