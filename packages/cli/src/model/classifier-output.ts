import { join } from 'node:path';
import { inspectModel, type Model, type PackageDescription } from '@edgewise/compiler';
import { UsageError } from '../command/usage-error.ts';
import type { MediaModel } from './read-media-model.ts';

/** What a classifier's first output holds, read off the graph. */
export function classifierOutput({
  model,
  labels,
  multiLabel,
  folder,
}: MediaModel): Partial<PackageDescription> {
  const [output] = inspectModel(model).outputs;
  const columns = output?.shape?.at(-1);
  const offset = typeof columns === 'number' ? columns - labels.length : 0;
  if (offset !== 0 && offset !== 1)
    throw new UsageError(
      `${join(folder, 'config.json')} names ${labels.length} labels; the model has ${String(columns)} outputs.`,
      'One more is taken as a background class before the first label.',
    );
  return {
    ...(offset === 0 ? {} : { labelOffset: offset }),
    ...(endsInProbabilities(model) ? { scores: 'probabilities' } : {}),
    ...(multiLabel ? { multiLabel } : {}),
  };
}

function endsInProbabilities({ graph }: Model): boolean {
  const output = graph.outputs[0]?.name ?? '';
  const last = graph.nodes.find(({ outputs }) => outputs.includes(output));
  return last?.opType === 'Softmax' || last?.opType === 'Sigmoid';
}
