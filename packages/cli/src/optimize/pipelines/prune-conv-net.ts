import {
  priceChains,
  pruneChannels,
  runPasses,
  type Model,
  type PricedChain,
  type PrunedConvNet,
  type Transform,
} from '@edgewise/compiler';
import type { Media } from '../../files/media.ts';
import { formatPercent } from '../../terminal/format.ts';
import { activationsOpener } from './engine-activations.ts';
import type { Pipeline, PrunedModel, Sample } from './pipeline.ts';

/** Each shows dozens of patches to every convolution, and so does its mirror image. */
const REPAIR_FILES = 100;

export interface PruneConvNetOptions {
  /** As it was read. */
  readonly model: Model;
  /** What makes it compact. */
  readonly passes: readonly Transform[];
  /** Makes the model's input of a file as the package will. */
  readonly sampleOf: (path: string) => Promise<Sample>;
  /** Makes another input, for inputs that have a mirror image. */
  readonly mirror?: (sample: Sample) => Sample;
  readonly media: Media;
  /** Paths of what channels are chosen and what is left is repaired with. */
  readonly calibration: readonly string[];
}

/** Does the pruning steps of recipes for convolutional networks. What channels cost is measured once for all of them. */
export function pruneConvNet(options: PruneConvNetOptions): NonNullable<Pipeline['prune']> {
  let priced: Promise<PricedChain[]> | undefined;
  return async (steps, original, { progress, signal }) => {
    const { model } = await runPasses(options.model, options.passes, { signal });
    let pruned: PrunedModel = { model, source: original, notes: [] };
    for (const step of steps) {
      if (step.name !== 'prune-channels') continue;
      const samples = await samplesOf(options);
      const data = {
        open: activationsOpener(samples, signal),
        samples,
        signal,
        onProgress: progress.update,
      };
      const chains = await (priced ??= priceChains(model, data));
      const { macs } = step.options;
      const smaller = await pruneChannels(pruned.model, { ...data, macs, chains });
      pruned = { ...pruned, model: smaller.model, notes: [...pruned.notes, describe(smaller, options)] };
    }
    return pruned;
  };
}

async function samplesOf({ calibration, sampleOf, mirror }: PruneConvNetOptions): Promise<Sample[]> {
  const plain = await Promise.all(calibration.slice(0, REPAIR_FILES).map(sampleOf));
  return mirror ? plain.flatMap((sample) => [sample, mirror(sample)]) : plain;
}

function describe(
  { convs, macs }: PrunedConvNet,
  { calibration, mirror, media }: PruneConvNetOptions,
): string {
  const removed = convs.reduce((sum, conv) => sum + conv.removed.length, 0);
  const files = Math.min(REPAIR_FILES, calibration.length);
  return (
    `Removed: ${removed} channels of ${convs.length} convolutions; ${formatPercent(macs)} of the multiply-accumulates stay. ` +
    `What is left was fitted on ${files} calibration ${media.plural}${mirror ? ' and their mirror images' : ''}.`
  );
}
