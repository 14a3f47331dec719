import { at, fail, int, oneOf, optional, type Field } from '../check.ts';
import type { Manifest } from '../manifest.ts';
import { checkDetection } from './check-detection.ts';
import { checkPreprocessing } from './check-preprocessing.ts';

const MAX_OFFSET = 1000;
const NEEDS_LABELS = ['image-classification', 'object-detection'];

/**
 * Checks what only image tasks read: `validateManifest` leaves it out so that text tasks do not carry the code. Throws
 * `RuntimeError` (`bad-package`) naming the first field that is wrong; returns its argument.
 */
export function validateImageManifest(manifest: Manifest): ImageManifest {
  const root: Field = { value: manifest, path: '' };
  checkPreprocessing(at(root, 'preprocessing'));
  const labels = at(root, 'labels');
  if (labels.value === undefined && NEEDS_LABELS.includes(manifest.task)) fail(labels, 'an array of names');
  if (manifest.task === 'object-detection') checkDetection(at(root, 'detection'));
  optional(at(root, 'scores'), (field) => oneOf(field, ['logits', 'probabilities']));
  optional(at(root, 'labelOffset'), (field) => int(field, 0, MAX_OFFSET));
  return manifest as ImageManifest;
}

/** A manifest with what every image task needs. */
export type ImageManifest = Manifest & Required<Pick<Manifest, 'preprocessing'>>;
