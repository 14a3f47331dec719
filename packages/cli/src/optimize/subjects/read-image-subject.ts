import { isQuantizedNet } from '@edgewise/compiler';
import type { TaskTaking } from '../../command/task-names.ts';
import { UsageError } from '../../command/usage-error.ts';
import { answerKind, comparesPairs, metricFor } from '../../examples/answer-kind.ts';
import { readMediaData } from '../../examples/read-media-examples.ts';
import { IMAGES } from '../../files/media.ts';
import { describeImagePackage } from '../../model/describe-image-package.ts';
import { readMediaModel } from '../../model/read-media-model.ts';
import { CONV_NETS, convNetPipeline } from '../pipelines/conv-net-pipeline.ts';
import { filesKey } from './files-key.ts';
import { imageMirror, imageSampler, openImageDims } from './image-samples.ts';
import { imagesToTry } from './images-to-try.ts';
import { prunableParts } from '../pipelines/prunable-parts.ts';
import { QUANTIZED_NETS, QUANTIZED_NOTE, quantizedNetPipeline } from '../pipelines/quantized-net-pipeline.ts';
import type { ReadSubject } from './subject.ts';

/** A model of images with its images. */
export const readImageSubject: ReadSubject<TaskTaking<'image'>> = async (path, given) => {
  if (given.maxTokens !== undefined)
    throw new UsageError(`--max-tokens does not fit ${given.task}: images have no tokens.`);
  const image = await readMediaModel(path);
  const isQuantized = isQuantizedNet(image.model);
  const prune = prunableParts(given, isQuantized ? QUANTIZED_NETS : CONV_NETS);
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
  const dims = openImageDims(model, preprocessing);
  const sampleOf = imageSampler(model, preprocessing);
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
    pipeline: isQuantized
      ? quantizedNetPipeline({ dims, samples: () => Promise.all(files.slice(0, 1).map(sampleOf)) })
      : convNetPipeline({
          model,
          dims,
          sampleOf,
          mirror: imageMirror(preprocessing),
          media: IMAGES,
          calibration,
          files,
          prune,
        }),
    sizes: { pixels: preprocessing.width },
    notes: isQuantized ? [QUANTIZED_NOTE] : [],
    offer: () => imagesToTry(files),
  };
};
