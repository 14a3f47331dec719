import { at, fail, type Field } from '../check.ts';
import { checkScores } from '../check-scores.ts';
import type { Manifest } from '../manifest.ts';
import { checkDetection } from './check-detection.ts';
import { checkPreprocessing } from './check-preprocessing.ts';

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
  checkScores(root);
  return manifest as ImageManifest;
}

/** A manifest with what every image task needs. */
export type ImageManifest = Manifest & Required<Pick<Manifest, 'preprocessing'>>;
