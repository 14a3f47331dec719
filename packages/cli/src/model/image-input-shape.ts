import { inspectModel, type Model } from '@edgewise/compiler';
import type { ImagePreprocessing } from '@edgewise/runtime/format';
import { UsageError } from '../command/usage-error.ts';

/** What an image model takes. */
export interface ImageInputShape extends Pick<ImagePreprocessing, 'layout' | 'dtype'> {
  readonly channels: 1 | 3;
  /** Pixels; undefined where the model leaves it open. */
  readonly height: number | undefined;
  readonly width: number | undefined;
}

/**
 * The shape of a model's only input: [batch, channels, height, width] or [batch, height, width, channels].
 * @throws UsageError when it is none of an image
 */
export function imageInputShape(model: Model, onnxPath: string): ImageInputShape {
  const { inputs } = inspectModel(model);
  const [input, ...others] = inputs;
  const names = inputs.map(({ name, shape }) => `${name} [${shape?.join(', ') ?? '?'}]`).join(', ');
  const wrong = (): UsageError =>
    new UsageError(
      `${onnxPath}: an image model takes one tensor [batch, 1 or 3, height, width] or [batch, height, width, 1 or 3]; this one takes ${names || 'nothing'}.`,
    );
  if (!input || others.length > 0 || input.shape?.length !== 4) throw wrong();
  const [, first, second, third] = input.shape.map((dim) => (typeof dim === 'number' ? dim : undefined));
  const { dtype } = input;
  if (dtype !== 'float32' && dtype !== 'uint8' && dtype !== 'int8') throw wrong();
  if (first === 1 || first === 3)
    return { layout: 'NCHW', dtype, channels: first, height: second, width: third };
  if (third === 1 || third === 3)
    return { layout: 'NHWC', dtype, channels: third, height: first, width: second };
  throw wrong();
}
