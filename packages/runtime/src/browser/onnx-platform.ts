import type { OnnxPlatform } from '../platform.ts';
import type { OnnxRuntime } from '../session/onnx-runtime.ts';

export const onnxPlatform: OnnxPlatform = {
  hint: 'npm install onnxruntime-web and pass the module as option onnxruntime, or name it in an import map',
  importRuntime: async () => {
    // Not a literal: bundlers would demand that everyone installs it. Pages without a bundler need an import map.
    const name: string = 'onnxruntime-web';
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as OnnxRuntime;
  },
};
