import type { Manifest } from '../format/index.ts';
import { RuntimeError } from '../runtime-error.ts';
import { rankLabels, type LabelScore } from './label-scores.ts';
import { sigmoid, softmax } from './scores.ts';
import type { TaskHandle } from './task-handle.ts';

/** Scores of a classifier's output, best label first, as the manifest's `scores`, `multiLabel` and `labelOffset` say. */
export function rankOutput(handle: TaskHandle, data: ArrayLike<number>, topK: number): LabelScore[] {
  const { labels = [], labelOffset = 0, multiLabel = false, scores = 'logits' }: Manifest = handle.manifest;
  if (data.length !== labelOffset + labels.length) {
    handle.dispose();
    const columns = `${labels.length} labels from column ${labelOffset}`;
    throw new RuntimeError('bad-package', `${columns} for ${data.length} outputs`);
  }
  const activate = multiLabel ? sigmoid : softmax;
  const probabilities = scores === 'probabilities' ? Float64Array.from(data) : activate(data);
  return rankLabels(labels, probabilities.subarray(labelOffset), topK);
}
