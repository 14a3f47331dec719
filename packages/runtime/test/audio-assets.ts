import { readFileSync } from 'node:fs';
import { sharedAsset } from '@edgewise/test-utils';
import type { AudioFeatures, Manifest } from '../src/format/index.ts';
import { fileEntry } from './tiny-package.ts';

/** An ONNX model as a package for an audio task. */
export function audioPackage(
  bytes: Uint8Array,
  fields: Partial<Manifest> & { readonly task: string },
): Map<string, Uint8Array> {
  const manifest: Manifest = {
    format: 'edgewise',
    formatVersion: 1,
    name: fields.task,
    model: { kind: 'onnx', file: 'model.onnx' },
    files: { 'model.onnx': fileEntry(bytes) },
    ...fields,
  };
  return new Map([
    ['model.onnx', bytes],
    ['edgewise.json', new TextEncoder().encode(JSON.stringify(manifest))],
  ]);
}

export function readAsset(path: string): Uint8Array {
  return new Uint8Array(readFileSync(sharedAsset(path)));
}

/** Reads the 16-bit mono WAV files of the assets. */
export function readWav(path: string): { samples: Float32Array; sampleRate: number } {
  const bytes = readAsset(path);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));
  let at = 12;
  let sampleRate = 0;
  while (tag(at) !== 'data') {
    if (tag(at) === 'fmt ') sampleRate = view.getUint32(at + 12, true);
    at += 8 + view.getUint32(at + 4, true);
  }
  const count = view.getUint32(at + 4, true) / 2;
  const samples = Float32Array.from(
    { length: count },
    (_, index) => view.getInt16(at + 8 + 2 * index, true) / 32_768,
  );
  return { samples, sampleRate };
}

export const COMMANDS = 'datasets/speech-commands-12';

/** Lines of its labels.csv: file, label, mlperf_index. */
export function readCommands(): { file: string; label: string; index: number }[] {
  return csvLines(`${COMMANDS}/labels.csv`).map(([file = '', label = '', index = '']) => ({
    file: `${COMMANDS}/wav/${file}`,
    label,
    index: Number(index),
  }));
}

export function csvLines(path: string): string[][] {
  const [, ...lines] = readFileSync(sharedAsset(path), 'utf8').trimEnd().split(/\r?\n/);
  return lines.map((line) => line.split(','));
}

/** What the keyword spotter of MLPerf Tiny was trained on (its get_dataset.py), in the order of its classes. */
export const KEYWORD_FEATURES: AudioFeatures = {
  frameLength: 480,
  frameStep: 320,
  fftSize: 512,
  window: 'hann',
  spectrum: 'magnitude',
  mel: { bands: 40, low: 20, high: 4000, scale: 'htk', triangles: 'mel' },
  log: { base: 'e', floor: 1e-6, floorMode: 'add' },
  dct: { coefficients: 10, scaling: 'htk' },
  layout: 'frames-bands',
};
