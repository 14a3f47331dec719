import { join } from 'node:path';
import { inspectModel, type PackageDescription } from '@edgewise/compiler';
import { validateAudioManifest, type AudioInput, type Manifest } from '@edgewise/runtime/format';
import type { TaskTaking } from '../command/task-names.ts';
import { UsageError } from '../command/usage-error.ts';
import { audioInputOf } from './audio-input-of.ts';
import { classifierOutput } from './classifier-output.ts';
import { objectOf } from './config-json.ts';
import type { MediaModel } from './read-media-model.ts';

/** A package's description with what every audio task needs. */
export type AudioDescription = PackageDescription & { readonly audio: AudioInput };

/**
 * What every candidate's manifest says of a model of sounds: from config.json and the graph.
 * @throws UsageError naming the file and the field that is missing or does not fit the model
 */
export function describeAudioPackage(sound: MediaModel, task: TaskTaking<'audio'>): AudioDescription {
  const { labels } = sound;
  const { settings: _settings, ...fields } = sound.fields;
  const config = join(sound.folder, 'config.json');
  const isClassifier = task === 'audio-classification';
  if (isClassifier && labels.length === 0)
    throw new UsageError(
      `${config} has no id2label.`,
      `${task} needs the names of the labels: "id2label": { "0": "yes", "1": "no" }, say.`,
    );
  const description = {
    name: sound.name,
    task,
    ...(isClassifier ? { labels, ...classifierOutput(sound) } : {}),
    ...fields,
    audio: audioOf(sound, config),
  };
  try {
    validateAudioManifest(description as Manifest);
  } catch (error) {
    throw new UsageError(
      `${config}: ${(error as Error).message.replace('edgewise.json: ', '')}.`,
      'Fields under "edgewise" are those of docs/package-format.md.',
    );
  }
  return description;
}

/** config.json's `edgewise.audio` as a whole, or preprocessor_config.json with what that leaves open. */
function audioOf({ folder, fields, processor, model }: MediaModel, config: string): AudioInput {
  const given = objectOf(fields['audio']);
  if (given?.['sampleRate'] !== undefined) return given as unknown as AudioInput;
  if (Object.keys(processor).length === 0)
    throw new UsageError(
      `${config} does not say how sound becomes the model's input.`,
      'Add preprocessor_config.json, or "edgewise": { "audio": { "sampleRate": 16000, "samples": 16000 } } for raw samples; docs/package-format.md has spectrograms too.',
    );
  const file = join(folder, 'preprocessor_config.json');
  const length = inspectModel(model).inputs[0]?.shape?.at(-1);
  const samples = given?.['samples'] ?? length;
  const audio = audioInputOf({ processor, file, samples: typeof samples === 'number' ? samples : undefined });
  return { ...audio, ...given };
}
