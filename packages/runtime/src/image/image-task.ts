import { validateImageManifest, type ImageManifest, type Manifest } from '../format/index.ts';
import type { PackageSource } from '../package/package-reader.ts';
import type { Platform } from '../session/platform.ts';
import { loadPackage } from '../session/load-package.ts';
import type { Outputs, SessionOptions } from '../session/session.ts';
import { onlyInput } from '../tasks/only-input.ts';
import { checkTask, type TaskHandle } from '../tasks/task-handle.ts';
import type { Placement } from './fit.ts';
import type { RawImage } from './pixels.ts';
import { preprocess } from './preprocess.ts';

/** Brings whatever a platform calls an image to raw pixels. */
export type ReadImage<Image> = (image: Image) => RawImage | Promise<RawImage>;

export interface ImageTask<Image> {
  readonly handle: TaskHandle;
  readonly manifest: ImageManifest;
  /** The model's outputs for one image, and how positions in its input become positions in the image. */
  readonly run: (image: Image) => Promise<{ readonly outputs: Outputs; readonly placement: Placement }>;
}

/** Loads a package for an image task. */
export async function loadImageTask<Image>(
  platform: Platform,
  readImage: ReadImage<Image>,
  task: string,
  source: PackageSource,
  options: SessionOptions,
): Promise<ImageTask<Image>> {
  const loaded = await loadPackage(platform, source, options, {
    check: (found) => checkImageTask(found, task),
    load: () => Promise.resolve(),
  });
  const { session } = loaded;
  const manifest = loaded.manifest as ImageManifest;
  const { name } = onlyInput(session, 'an image');
  const run: ImageTask<Image>['run'] = async (image) => {
    const prepared = preprocess(await readImage(image), manifest.preprocessing);
    const outputs = await session.run({ [name]: prepared.input.data });
    return { outputs, placement: prepared.placement };
  };
  const dispose = (): void => session.dispose();
  return { handle: { manifest, session, info: session.info, dispose }, manifest, run };
}

function checkImageTask(manifest: Manifest, task: string): void {
  checkTask(manifest, task);
  validateImageManifest(manifest);
}
