import { join } from 'node:path';
import type { PackageDescription } from '@edgewise/compiler';
import { validateImageManifest, type ImagePreprocessing, type Manifest } from '@edgewise/runtime/format';
import type { TaskTaking } from '../command/task-names.ts';
import { UsageError } from '../command/usage-error.ts';
import { imageInputShape, type ImageInputShape } from './image-input-shape.ts';
import { classifierOutput } from './classifier-output.ts';
import { preprocessingOf } from './preprocessing-of.ts';
import type { MediaModel } from './read-media-model.ts';

/** A package's description with what every image task needs. */
export type ImageDescription = PackageDescription & { readonly preprocessing: ImagePreprocessing };

/**
 * What every candidate's manifest says of an image model: from config.json, preprocessor_config.json and the graph.
 * @throws UsageError naming the file and the field that is missing or does not fit the model
 */
export function describeImagePackage(image: MediaModel, task: TaskTaking<'image'>): ImageDescription {
  const { folder, model, labels, fields } = image;
  const config = join(folder, 'config.json');
  if (labels.length === 0 && task !== 'image-feature-extraction')
    throw new UsageError(
      `${config} has no id2label.`,
      `${task} needs the names of the labels: "id2label": { "0": "cat", "1": "dog" }, say.`,
    );
  if (task === 'object-detection' && fields['detection'] === undefined)
    throw new UsageError(
      `${config} does not say what the outputs of the detector mean.`,
      'Add "edgewise": { "detection": { "kind": "yolov8" } }, say; docs/package-format.md has the kinds.',
    );
  const shape = imageInputShape(model, image.onnxPath);
  const description = {
    name: image.name,
    task,
    ...(task === 'image-feature-extraction' ? {} : { labels }),
    ...(task === 'image-classification' ? classifierOutput(image) : {}),
    ...fields,
    preprocessing: (fields['preprocessing'] ??
      preprocessingOf(
        image.processor,
        shape,
        join(folder, 'preprocessor_config.json'),
      )) as ImagePreprocessing,
  };
  check(description, config);
  checkSize(description.preprocessing, shape, folder);
  return description;
}

function check(description: ImageDescription, file: string): void {
  try {
    validateImageManifest(description as Manifest);
  } catch (error) {
    throw new UsageError(
      `${file}: ${(error as Error).message.replace('edgewise.json: ', '')}.`,
      'Fields under "edgewise" are those of docs/package-format.md.',
    );
  }
}

function checkSize({ width, height }: ImagePreprocessing, shape: ImageInputShape, folder: string): void {
  if ((shape.width ?? width) === width && (shape.height ?? height) === height) return;
  throw new UsageError(
    `${folder}: images are made ${width} × ${height}, the model takes ${shape.width} × ${shape.height}.`,
    'Change size (or crop_size) in preprocessor_config.json, or export the model for that size.',
  );
}
