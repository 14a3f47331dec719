import type { TaskTaking } from '../command/task-names.ts';
import { UsageError } from '../command/usage-error.ts';
import { answerKind, metricFor } from '../examples/answer-kind.ts';
import { readCalibrationFiles } from '../examples/read-calibration-files.ts';
import { readFileExamples } from '../examples/read-file-examples.ts';
import { SOUNDS } from '../files/media.ts';
import { describeAudioPackage } from '../model/describe-audio-package.ts';
import { readMediaModel } from '../model/read-media-model.ts';
import { convNetPipeline } from './conv-net-pipeline.ts';
import { filesKey } from './files-key.ts';
import { soundSampler } from './sound-samples.ts';
import type { ReadSubject } from './subject.ts';

/** A model of sounds with its clips. */
export const readSoundSubject: ReadSubject<TaskTaking<'sound'>> = async (path, given) => {
  if (given.maxTokens !== undefined)
    throw new UsageError(`--max-tokens does not fit ${given.task}: sounds have no tokens.`);
  const sound = await readMediaModel(path);
  const description = describeAudioPackage(sound, given.task);
  const kind = answerKind(given.task, sound.multiLabel);
  const metric = metricFor(kind, given.metric);
  const { model, labels } = sound;
  const examples = await readFileExamples(given.data, { media: SOUNDS, kind, labels });
  const calibration =
    given.calibration === undefined ? [] : await readCalibrationFiles(given.calibration, SOUNDS);
  const files = examples.map(({ file }) => file);
  return {
    name: sound.name,
    model,
    onnx: sound.onnx,
    description,
    files: new Map(),
    kind,
    metric,
    examples,
    examplesKey: filesKey(files),
    pipeline: convNetPipeline({
      dims: {},
      sampleOf: soundSampler(model, description.audio),
      media: SOUNDS,
      calibration,
      files,
    }),
    sizes: {},
    offer: async () => ({ config: {}, files: new Map() }),
  };
};
