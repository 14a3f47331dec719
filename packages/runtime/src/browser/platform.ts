import type { Platform } from '../platform.ts';
import type { OnnxRuntime } from '../session/onnx-runtime.ts';
import { browserWorkerPlatform, startWorker } from './worker-platform.ts';

/** Pages. */
export const browserPlatform: Platform = {
  ...browserWorkerPlatform,
  startWorker,
  onnxRuntimeHint:
    'npm install onnxruntime-web and pass the module as option onnxruntime, or name it in an import map',
  importOnnxRuntime: async () => {
    // Not a literal: bundlers would demand that everyone installs it. Pages without a bundler need an import map.
    const name: string = 'onnxruntime-web';
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as OnnxRuntime;
  },
};
