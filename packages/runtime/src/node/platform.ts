import { availableParallelism } from 'node:os';
import process from 'node:process';
import { httpReader } from '../package/http-reader.ts';
import type { PackageReader } from '../package/package-reader.ts';
import type { EnginePlatform, OnnxPlatform } from '../platform.ts';
import type { Platform } from '../session/platform.ts';
import type { OnnxRuntime } from '../session/onnx-runtime.ts';
import { allowRelaxedSimd, hasReliableDot } from './allow-relaxed-simd.ts';
import { folderReader } from './folder-reader.ts';
import { piecesReader, type NodePackageSource } from './pieces-reader.ts';
import { startThread } from './start-thread.ts';

const enginePlatform: EnginePlatform = {
  maxThreads: availableParallelism(),
  hasReliableDot,
  startThread,
};

const onnxPlatform: OnnxPlatform = {
  hint: 'npm install onnxruntime-node',
  importRuntime: async () => {
    // Set before it loads: nothing that we load phones home.
    process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
    const { default: runtime } = (await import('onnxruntime-node')) as { default: unknown };
    return runtime as OnnxRuntime;
  },
};

/** Node: sessions run on the calling thread; put them into a worker of your own where that matters. */
export const nodePlatform: Platform = {
  openPackage: (source) => {
    allowRelaxedSimd();
    return openPackage(source);
  },
  importEdgeSession: async () => ({ ...(await import('../session/edge-session.ts')), enginePlatform }),
  importOnnxSession: async () => ({ ...(await import('../session/onnx-session.ts')), onnxPlatform }),
};

function openPackage(source: NodePackageSource): PackageReader {
  if (typeof source !== 'string' && !(source instanceof URL)) return piecesReader(source);
  const text = String(source);
  if (/^https?:\/\//i.test(text)) return httpReader(new URL(text));
  return folderReader(text.startsWith('file:') ? new URL(text) : text);
}
