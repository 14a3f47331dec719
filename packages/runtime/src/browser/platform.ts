import { httpReader } from '../package/http-reader.ts';
import { mapReader } from '../package/map-reader.ts';
import type { Platform } from '../platform.ts';
import type { OnnxRuntime } from '../session/onnx-runtime.ts';
import { browserEnginePlatform, startWorker } from './engine-platform.ts';

/** Pages, and workers that load packages themselves. */
export const browserPlatform: Platform = {
  ...browserEnginePlatform,
  openPackage: (source) =>
    typeof source === 'string' || source instanceof URL
      ? httpReader(new URL(source, globalThis.document?.baseURI ?? globalThis.location.href))
      : mapReader(source),
  startWorker,
  onnxRuntimeHint:
    'npm install onnxruntime-web and pass the module as option onnxruntime, or name it in an import map',
  importOnnxRuntime: async () => {
    // Not a literal: bundlers would demand that everyone installs it. Pages without a bundler need an import map.
    const name: string = 'onnxruntime-web';
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as OnnxRuntime;
  },
};
