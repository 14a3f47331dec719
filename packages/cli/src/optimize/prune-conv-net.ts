import { pruneChannels, runPasses, type Model, type Transform } from '@edgewise/compiler';
import type { Media } from '../files/media.ts';
import { formatPercent } from '../terminal/format.ts';
import { activationsOpener } from './engine-activations.ts';
import type { Pipeline, PrunedModel, Sample, Work } from './pipeline.ts';

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

/** Does the pruning steps of recipes for convolutional networks. */
export function pruneConvNet(options: PruneConvNetOptions): NonNullable<Pipeline['prune']> {
  return async (steps, original, work) => {
    const { model } = await runPasses(options.model, options.passes, { signal: work.signal });
    let pruned: PrunedModel = { model, source: original, notes: [] };
    for (const step of steps)
      if (step.name === 'prune-channels')
        pruned = await withoutChannels(pruned, step.options.macs, options, work);
    return pruned;
  };
}

async function withoutChannels(
  { model, source, notes }: PrunedModel,
  macs: number,
  { calibration, sampleOf, mirror, media }: PruneConvNetOptions,
  { progress, signal }: Work,
): Promise<PrunedModel> {
  const files = calibration.slice(0, REPAIR_FILES);
  const plain = await Promise.all(files.map(sampleOf));
  const samples = mirror ? plain.flatMap((sample) => [sample, mirror(sample)]) : plain;
  const open = activationsOpener(samples, signal);
  const smaller = await pruneChannels(model, { macs, open, samples, signal, onProgress: progress.update });
  const removed = smaller.convs.reduce((sum, conv) => sum + conv.removed.length, 0);
  const note =
    `Removed: ${removed} channels of ${smaller.convs.length} convolutions; ${formatPercent(smaller.macs)} of the multiply-accumulates stay. ` +
    `What is left was fitted on ${files.length} calibration ${media.plural}${mirror ? ' and their mirror images' : ''}.`;
  return { model: smaller.model, source, notes: [...notes, note] };
}
