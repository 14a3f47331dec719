import type { TaskTaking } from '../command/task-names.ts';
import { UsageError } from '../command/usage-error.ts';
import { answerKind, comparesPairs, metricFor } from '../examples/answer-kind.ts';
import { readMediaData } from '../examples/read-media-examples.ts';
import { IMAGES } from '../files/media.ts';
import { describeImagePackage } from '../model/describe-image-package.ts';
import { readMediaModel } from '../model/read-media-model.ts';
import { CONV_NETS, convNetPipeline } from './conv-net-pipeline.ts';
import { filesKey } from './files-key.ts';
import { imageMirror, imageSampler, openImageDims } from './image-samples.ts';
import { imagesToTry } from './images-to-try.ts';
import { prunableParts } from './prunable-parts.ts';
import type { ReadSubject } from './subject.ts';

/** A model of images with its images. */
export const readImageSubject: ReadSubject<TaskTaking<'image'>> = async (path, given) => {
  if (given.maxTokens !== undefined)
    throw new UsageError(`--max-tokens does not fit ${given.task}: images have no tokens.`);
  const prune = prunableParts(given, CONV_NETS);
  const image = await readMediaModel(path);
  const description = describeImagePackage(image, given.task);
  const kind = answerKind(given.task, image.multiLabel);
  const metric = metricFor(given.task, kind, given.metric);
  const { model, labels } = image;
  const { examples, files, calibration } = await readMediaData(given, {
    media: IMAGES,
    kind,
    labels,
    pairs: comparesPairs(given.task),
  });
  const { preprocessing } = description;
  return {
    name: image.name,
    model,
    onnx: image.onnx,
    description,
    files: new Map(),
    kind,
    metric,
    examples,
    examplesKey: filesKey(files),
    pipeline: convNetPipeline({
      model,
      dims: openImageDims(model, preprocessing),
      sampleOf: imageSampler(model, preprocessing),
      mirror: imageMirror(preprocessing),
      media: IMAGES,
      calibration,
      files,
      prune,
    }),
    sizes: { pixels: preprocessing.width },
    notes: [],
    offer: () => imagesToTry(files),
  };
};
