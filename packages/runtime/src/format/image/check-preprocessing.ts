import { at, fail, finite, int, list, oneOf, optional, type Field } from '../check.ts';
import { RESAMPLES } from './preprocessing.ts';

/** Sides of inputs; nothing runs larger ones on a device. */
const MAX_SIDE = 8192;
const MAX_PIXEL = 255;

/** Checks `preprocessing` of an image package. */
export function checkPreprocessing(field: Field): void {
  const width = int(at(field, 'width'), 1, MAX_SIDE);
  const height = int(at(field, 'height'), 1, MAX_SIDE);
  checkFit(at(field, 'fit'), Math.max(width, height));
  oneOf(at(field, 'resample'), RESAMPLES);
  optional(at(field, 'resampleEnlarging'), (name) => oneOf(name, RESAMPLES));
  const channels = oneOf(at(field, 'channels'), ['RGB', 'BGR', 'L']).length;
  oneOf(at(field, 'layout'), ['NCHW', 'NHWC']);
  oneOf(at(field, 'dtype'), ['float32', 'uint8', 'int8']);
  optional(at(field, 'scale'), finite);
  optional(at(field, 'mean'), (mean) => list(mean, channels, channels).forEach(finite));
  optional(at(field, 'std'), (std) => list(std, channels, channels).forEach(nonZero));
  optional(at(field, 'background'), (color) => list(color, 3, 3).forEach(pixel));
}

function checkFit(fit: Field, longest: number): void {
  const mode = oneOf(at(fit, 'mode'), ['stretch', 'crop', 'letterbox']);
  if (mode === 'crop') int(at(fit, 'shorterSide'), longest, 2 * MAX_SIDE);
  if (mode !== 'letterbox') return;
  oneOf(at(fit, 'align'), ['center', 'top-left']);
  pixel(at(fit, 'padding'));
  oneOf(at(fit, 'rounding'), ['floor', 'round']);
}

function pixel(field: Field): void {
  int(field, 0, MAX_PIXEL);
}

function nonZero(field: Field): void {
  if (finite(field) === 0) fail(field, 'a number other than 0');
}
