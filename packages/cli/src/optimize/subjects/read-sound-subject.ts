import { isQuantizedNet, type Model } from '@edgewise/compiler';
import type { TaskTaking } from '../../command/task-names.ts';
import { UsageError } from '../../command/usage-error.ts';
import { answerKind, metricFor } from '../../examples/answer-kind.ts';
import { readMediaData } from '../../examples/read-media-examples.ts';
import { SOUNDS } from '../../files/media.ts';
import { describeAudioPackage } from '../../model/describe-audio-package.ts';
import { objectOf } from '../../model/config-json.ts';
import { readMediaModel } from '../../model/read-media-model.ts';
import { settleInputs } from '../../model/settle-inputs.ts';
import { CONV_NETS, convNetPipeline } from '../pipelines/conv-net-pipeline.ts';
import { filesKey } from './files-key.ts';
import { prunableParts } from '../pipelines/prunable-parts.ts';
import { QUANTIZED_NETS, QUANTIZED_NOTE, quantizedNetPipeline } from '../pipelines/quantized-net-pipeline.ts';
import { SOUND_NETS, soundNetPipeline } from '../pipelines/sound-net-pipeline.ts';
import { soundSampler } from './sound-samples.ts';
import type { ReadSubject } from './subject.ts';

/** Rewrites are checked on so many. */
const CHECKED_FILES = 2;

/** A model of sounds with its clips. */
export const readSoundSubject: ReadSubject<TaskTaking<'audio'>> = async (path, given) => {
  if (given.maxTokens !== undefined)
    throw new UsageError(`--max-tokens does not fit ${given.task}: sounds have no tokens.`);
  const sound = await readMediaModel(path);
  const description = describeAudioPackage(sound, given.task);
  const kind = answerKind(given.task, sound.multiLabel);
  const metric = metricFor(given.task, kind, given.metric);
  const { labels } = sound;
  const { audio, streaming } = description;
  const { model, onnx } = await settleInputs(sound.model, sound.onnx, {
    settings: objectOf(sound.fields['settings']) ?? {},
    audio,
    streaming,
  });
  const isQuantized = isQuantizedNet(model);
  const isConvolutional = isConvNet(model);
  const otherNets = isQuantized ? QUANTIZED_NETS : SOUND_NETS;
  const prune = prunableParts(given, isConvolutional && !isQuantized ? CONV_NETS : otherNets);
  const { examples, files, calibration } = await readMediaData(given, { media: SOUNDS, kind, labels });
  const sampleOf = soundSampler(model, audio, streaming);
  const samples = () => Promise.all(files.slice(0, CHECKED_FILES).map(sampleOf));
  return {
    name: sound.name,
    model,
    onnx,
    description,
    files: new Map(),
    kind,
    metric,
    examples,
    examplesKey: filesKey(files),
    pipeline: isQuantized
      ? quantizedNetPipeline({ dims: {}, samples })
      : isConvolutional
        ? convNetPipeline({ model, dims: {}, sampleOf, media: SOUNDS, calibration, files, prune })
        : soundNetPipeline({ samples }),
    sizes: {},
    notes: isQuantized ? [QUANTIZED_NOTE] : [],
    offer: async () => ({ config: {}, files: new Map() }),
  };
};

/** Whether convolutions on a spectrogram are all there is; others have a memory, attention or a transform of their own. */
function isConvNet({ graph }: Model): boolean {
  const operators = new Set(graph.nodes.map(({ opType }) => opType));
  return (
    operators.has('Conv') && !['LSTM', 'GRU', 'MatMul', 'If', 'Loop'].some((name) => operators.has(name))
  );
}
