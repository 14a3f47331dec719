import { loadEngine, type EngineOptions } from '../engine/load-engine.ts';
import type { EdgeModel, Manifest } from '../format/index.ts';
import type { PackageReader } from '../package/package-reader.ts';
import type { EnginePlatform } from '../platform.ts';
import { RuntimeError } from '../runtime-error.ts';
import { describeTensors } from './describe-tensors.ts';
import type { LoadClock } from './load-clock.ts';
import type { Session } from './session.ts';

/** A session on our engine that runs on the calling thread. */
export async function createEdgeSession(
  platform: EnginePlatform,
  reader: PackageReader,
  manifest: Manifest,
  model: EdgeModel,
  options: EngineOptions,
  clock: LoadClock,
): Promise<Session> {
  const engine = await loadEngine(platform, reader, manifest, model, options, clock.files);
  let open: typeof engine | undefined = engine;
  return {
    ...describeTensors(model),
    info: { ...engine.info, worker: false, timings: clock.ready() },
    // Running blocks this thread, so calls queue by themselves; async makes errors rejections.
    // oxlint-disable-next-line typescript/require-await
    run: async (feeds) => {
      if (!open) throw new RuntimeError('disposed', 'the session was disposed');
      return open.run(feeds, options.outputViews);
    },
    dispose: () => {
      open?.dispose();
      open = undefined;
    },
  };
}
