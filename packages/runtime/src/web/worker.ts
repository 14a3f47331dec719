import { browserWorkerPlatform } from '../browser/worker-platform.ts';
import { serveWorker, type WorkerScope } from '../session/serve-worker.ts';

serveWorker(globalThis as unknown as WorkerScope, browserWorkerPlatform);
