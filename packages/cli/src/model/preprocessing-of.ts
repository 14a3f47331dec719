import type { ImageFit, ImagePreprocessing, Resample } from '@edgewise/runtime/format';
import { UsageError } from '../command/usage-error.ts';
import { objectOf, type Json } from './config-json.ts';
import type { ImageInputShape } from './image-input-shape.ts';

/** Pillow's numbers of its filters, which preprocessor_config.json has. */
const RESAMPLES: readonly (Resample | undefined)[] = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box'];
const PIXEL_RANGE = 255;

/**
 * How images become the model's input, by a Hugging Face `preprocessor_config.json` (its `size`, `do_center_crop`,
 * `crop_size`, `resample`, `rescale_factor`, `image_mean`, `image_std`, `do_flip_channel_order`).
 * @param file its path, for messages
 * @throws UsageError naming the field that is missing or cannot be followed
 */
export function preprocessingOf(
  processor: Json,
  { channels, layout, dtype }: ImageInputShape,
  file: string,
): ImagePreprocessing {
  if (Object.keys(processor).length === 0)
    throw new UsageError(
      `${file} is missing: it says how images become the model's input.`,
      'A size that images are stretched to, say: { "size": { "height": 224, "width": 224 }, "resample": 2, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5] }. docs/cli.md has the fields.',
    );
  const scale =
    processor['do_rescale'] === false ? 1 : numberOr(processor['rescale_factor'], 1 / PIXEL_RANGE);
  const flips = processor['do_flip_channel_order'] === true;
  return {
    ...fitOf(processor, file),
    resample: resampleOf(processor['resample'], file),
    channels: channels === 1 ? 'L' : flips ? 'BGR' : 'RGB',
    layout,
    dtype,
    scale,
    ...normalization(processor, file),
  };
}

type Fitted = Pick<ImagePreprocessing, 'width' | 'height' | 'fit'>;

function fitOf(processor: Json, file: string): Fitted {
  const size = sizeOf(processor['size']);
  const crops = processor['do_center_crop'] === true;
  const crop = sizeOf(processor['crop_size']);
  const fitted = (to: Size, fit: ImageFit): Fitted => {
    if (to.width !== undefined && to.height !== undefined) return { width: to.width, height: to.height, fit };
    throw new UsageError(`${file}: ${crops ? 'crop_size' : 'size'} has no height and width.`);
  };
  if (!crops) return fitted(size, { mode: 'stretch' });
  const square = size.width !== undefined && size.width === size.height ? size.width : undefined;
  const isWhole = crop.width === size.width && crop.height === size.height;
  if (size.shorter === undefined && square !== undefined && isWhole) return fitted(crop, { mode: 'stretch' });
  if (size.shorter === undefined)
    throw new UsageError(
      `${file}: images cannot be stretched to ${size.width} × ${size.height} first and cut afterwards.`,
      'Write size as { "shortest_edge": … }, or the whole preprocessing under "edgewise" in config.json.',
    );
  return fitted(crop, { mode: 'crop', shorterSide: size.shorter });
}

interface Size {
  readonly width?: number;
  readonly height?: number;
  /** A number alone is the shorter side too where it is cut afterwards. */
  readonly shorter?: number;
}

function sizeOf(value: unknown): Size {
  if (typeof value === 'number') return { width: value, height: value, shorter: value };
  const { width, height, shortest_edge: shorter } = objectOf(value) ?? {};
  return {
    ...(typeof width === 'number' ? { width } : {}),
    ...(typeof height === 'number' ? { height } : {}),
    ...(typeof shorter === 'number' ? { shorter } : {}),
  };
}

function resampleOf(value: unknown, file: string): Resample {
  const found = value === undefined ? 'bilinear' : RESAMPLES[Number(value)];
  if (found !== undefined) return found;
  throw new UsageError(
    `${file}: resample ${JSON.stringify(value)} is not known.`,
    'Pillow has 0 nearest, 1 lanczos, 2 bilinear, 3 bicubic, 4 box.',
  );
}

function normalization(processor: Json, file: string): Pick<ImagePreprocessing, 'mean' | 'std'> {
  const { image_mean: mean, image_std: std } = processor;
  if (processor['do_normalize'] === false || (mean === undefined && std === undefined)) return {};
  if (isNumbers(mean) && isNumbers(std) && mean.length === std.length) return { mean, std };
  throw new UsageError(
    `${file}: image_mean and image_std are not two lists of numbers, one for each channel.`,
  );
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'number');
}

function numberOr(value: unknown, fallback: number): number {
  return typeof value === 'number' ? value : fallback;
}
