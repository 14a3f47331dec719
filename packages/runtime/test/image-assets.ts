import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sharedAsset } from '@edgewise/test-utils';
import sharp from 'sharp';
import type { ImagePreprocessing, Manifest } from '../src/format/index.ts';
import type { RawImage } from '../src/node/image.ts';
import { fileEntry } from './tiny-package.ts';

/** An ONNX model of the shared assets as a package for an image task. */
export function imagePackage(
  model: string,
  fields: Partial<Manifest> & { readonly task: string; readonly preprocessing: ImagePreprocessing },
): Map<string, Uint8Array> {
  const bytes = new Uint8Array(readFileSync(sharedAsset(`models/${model}`)));
  const manifest: Manifest = {
    format: 'edgewise',
    formatVersion: 1,
    name: model,
    model: { kind: 'onnx', file: 'model.onnx' },
    files: { 'model.onnx': fileEntry(bytes) },
    ...fields,
  };
  return new Map([
    ['model.onnx', bytes],
    ['edgewise.json', new TextEncoder().encode(JSON.stringify(manifest))],
  ]);
}

/** Decodes a file as it lies, without turning it by its EXIF orientation. */
export async function readImageFile(path: string): Promise<RawImage> {
  const { data, info } = await sharp(path)
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: info.channels as 1 | 3 };
}

/** Images of a folder of the assets by file name, sorted. */
export function listImages(folder: string): { readonly name: string; readonly path: string }[] {
  const root = sharedAsset(folder);
  return readdirSync(root)
    .sort()
    .map((name) => ({ name, path: join(root, name) }));
}

/** MobileNet's as the manifest of the assets describes it: centre crop, RGB, x / 127.5 − 1. */
export const MOBILENET_PREPROCESSING: ImagePreprocessing = {
  width: 224,
  height: 224,
  fit: { mode: 'crop', shorterSide: 256 },
  resample: 'lanczos',
  channels: 'RGB',
  layout: 'NCHW',
  dtype: 'float32',
  mean: [127.5, 127.5, 127.5],
  std: [127.5, 127.5, 127.5],
};
