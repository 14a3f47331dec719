import type { Platform } from '../session/platform.ts';
import { openPackage } from './open-package.ts';
import { startWorker } from './start-worker.ts';

/** Pages. */
export const browserPlatform: Platform = {
  openPackage,
  startWorker,
  importEdgeSession: () => import('./edge-session.ts'),
  importOnnxSession: () => import('./onnx-session.ts'),
};
