import { loadAudioTask, type ReadAudio } from '../audio/audio-task.ts';
import { audioPreprocessor } from '../audio/preprocess-audio.ts';
import type { PackageSource } from '../package/package-reader.ts';
import type { Platform } from '../session/platform.ts';
import type { SessionOptions } from '../session/session.ts';
import { checkTopK, type ClassifyOptions, type LabelScore } from '../tasks/label-scores.ts';
import { onlyInput } from '../tasks/only-input.ts';
import { rankOutput } from '../tasks/rank-output.ts';
import { firstOutput, mapInputs, type TaskHandle } from '../tasks/task-handle.ts';

/** Name of the task as the manifest writes it. */
export const TASK = 'audio-classification';

/** Best label first. One clip gives one list, an array of clips an array of lists. Longer clips are cut at the end. */
export interface AudioClassifier<Audio> extends TaskHandle {
  (clip: Audio, options?: ClassifyOptions): Promise<LabelScore[]>;
  (clips: readonly Audio[], options?: ClassifyOptions): Promise<LabelScore[][]>;
}

/**
 * Loads an audio-classification package.
 *
 *     const classify = await load('/models/keywords');
 *     const [best] = await classify({ samples, sampleRate: 48_000 });
 */
export type LoadAudioClassifier<Audio> = (
  source: PackageSource,
  options?: SessionOptions,
) => Promise<AudioClassifier<Audio>>;

export function audioClassifierLoader<Audio>(
  platform: Platform,
  readAudio: ReadAudio<Audio>,
): LoadAudioClassifier<Audio> {
  return async (source, options = {}) => {
    const { handle, manifest } = await loadAudioTask(platform, TASK, source, options);
    const { session } = handle;
    const { name } = onlyInput(session, 'an audio classification');
    const prepare = audioPreprocessor(manifest.audio);

    const classifyOne = async (clip: Audio, topK: number): Promise<LabelScore[]> => {
      const outputs = await session.run({ [name]: prepare(readAudio(clip)).data });
      return rankOutput(handle, firstOutput(session, outputs).data, topK);
    };
    const classify = async (
      clips: Audio | readonly Audio[],
      { topK = manifest.labels?.length ?? 1 }: ClassifyOptions = {},
    ): Promise<LabelScore[] | LabelScore[][]> => {
      checkTopK(topK);
      return mapInputs(clips, (clip) => classifyOne(clip, topK));
    };
    return Object.assign(classify as AudioClassifier<Audio>, handle);
  };
}
