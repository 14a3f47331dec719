import { enginePlatform } from '../browser/engine-platform.ts';
import { openPackage } from '../browser/open-package.ts';
import { serveWorker, type WorkerScope } from '../session/serve-worker.ts';

serveWorker(globalThis as unknown as WorkerScope, { ...enginePlatform, openPackage });
