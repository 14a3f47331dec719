import { validateAudioManifest, type AudioManifest, type Manifest } from '../format/index.ts';
import type { PackageSource } from '../package/package-reader.ts';
import type { Platform } from '../session/platform.ts';
import { loadPackage } from '../session/load-package.ts';
import type { SessionOptions } from '../session/session.ts';
import { checkTask, type TaskHandle } from '../tasks/task-handle.ts';
import type { RawAudio } from './raw-audio.ts';

/** Brings whatever a platform calls a sound to raw samples. */
export type ReadAudio<Audio> = (audio: Audio) => RawAudio;

export interface AudioTask {
  readonly handle: TaskHandle;
  readonly manifest: AudioManifest;
}

/** Loads a package for an audio task. */
export async function loadAudioTask(
  platform: Platform,
  task: string,
  source: PackageSource,
  options: SessionOptions,
): Promise<AudioTask> {
  const { session, manifest } = await loadPackage(platform, source, options, {
    check: (found) => checkAudioTask(found, task),
    load: () => Promise.resolve(),
  });
  const dispose = (): void => session.dispose();
  const handle = { manifest, session, info: session.info, dispose };
  return { handle, manifest: manifest as AudioManifest };
}

function checkAudioTask(manifest: Manifest, task: string): void {
  checkTask(manifest, task);
  validateAudioManifest(manifest);
}
