import { statSync } from 'node:fs';
import type { ImageTaskName } from '../command/task-names.ts';
import { UsageError } from '../command/usage-error.ts';
import { answerKind, metricFor } from '../examples/answer-kind.ts';
import { readCalibrationImages } from '../examples/read-calibration-images.ts';
import { readImageExamples } from '../examples/read-image-examples.ts';
import { describeImagePackage } from '../model/describe-image-package.ts';
import { readImageModel } from '../model/read-image-model.ts';
import { convNetPipeline } from './conv-net-pipeline.ts';
import { imagesToTry } from './images-to-try.ts';
import type { ReadSubject } from './subject.ts';

/** A model of images with its images. */
export const readImageSubject: ReadSubject<ImageTaskName> = async (path, given) => {
  if (given.maxTokens !== undefined)
    throw new UsageError(`--max-tokens does not fit ${given.task}: images have no tokens.`);
  const image = await readImageModel(path);
  const description = describeImagePackage(image, given.task);
  const kind = answerKind(given.task, image.multiLabel);
  const metric = metricFor(kind, given.metric);
  const examples = await readImageExamples(given.data, kind, image.labels);
  const calibration = given.calibration === undefined ? [] : await readCalibrationImages(given.calibration);
  const images = examples.map((example) => example.image);
  const { preprocessing } = description;
  return {
    name: image.name,
    model: image.model,
    onnx: image.onnx,
    description,
    files: new Map(),
    kind,
    metric,
    examples,
    examplesKey: JSON.stringify(images.map(fileKey)),
    pipeline: convNetPipeline({ model: image.model, preprocessing, calibration, images }),
    sizes: { pixels: preprocessing.width },
    offer: () => imagesToTry(examples),
  };
};

/** Changes when a file does. */
function fileKey(path: string): readonly [number, number] {
  const { size, mtimeMs } = statSync(path);
  return [size, mtimeMs];
}
