import { ROW_COLUMNS } from './detection-head.ts';
import { at, fail, finite, int, list, oneOf, optional, text, type Field } from '../check.ts';

const KINDS = [
  'yolox',
  'yolov5',
  'yolov8',
  'fastestdet',
  'nanodet',
  'ultraface',
  'ssd',
  'yunet',
  'rows',
] as const;
const MAX_STRIDE = 1024;
const MAX_PRIORS = 400_000;
const MAX_BOXES = 10_000;
const MAX_COLUMNS = 64;

/** Checks `detection` of an object-detection package. */
export function checkDetection(field: Field): void {
  const kind = oneOf(at(field, 'kind'), KINDS);
  optional(at(field, 'scoreThreshold'), share);
  optional(at(field, 'iouThreshold'), share);
  optional(at(field, 'maxBoxes'), (most) => int(most, 1, MAX_BOXES));
  optional(at(field, 'classes'), (classes) => oneOf(classes, ['best', 'all']));
  if (kind === 'yolox' || kind === 'nanodet' || kind === 'yunet') {
    list(at(field, 'strides'), 1, 8).forEach((stride) => int(stride, 1, MAX_STRIDE));
  }
  if (kind === 'rows') checkColumns(at(field, 'columns'));
  if (kind !== 'ultraface' && kind !== 'ssd') return;
  text(at(field, 'boxes'));
  text(at(field, 'scores'));
  if (kind === 'ssd') checkPriors(field);
}

function checkColumns(columns: Field): void {
  const names = list(columns, ROW_COLUMNS.length, MAX_COLUMNS).map((name) => text(name));
  const missing = ROW_COLUMNS.find((name) => !names.includes(name));
  if (missing) fail({ ...columns, value: names.join(', ') }, `names that include ${missing}`);
}

function checkPriors(field: Field): void {
  const priors = at(field, 'priors');
  const count = list(priors, 4, MAX_PRIORS).map(finite).length;
  if (count % 4 !== 0) fail({ ...priors, value: count }, 'four numbers for each anchor');
  list(at(field, 'variances'), 2, 2).forEach(finite);
  oneOf(at(field, 'activation'), ['softmax', 'sigmoid', 'none']);
}

function share(field: Field): void {
  const value = finite(field);
  if (value < 0 || value > 1) fail(field, 'a number from 0 to 1');
}
