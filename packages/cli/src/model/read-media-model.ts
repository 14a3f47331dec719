import { join } from 'node:path';
import type { Model } from '@edgewise/compiler';
import { readOnnxFile } from '../files/read-onnx-file.ts';
import { isMultiLabel, labelsOf, objectOf, readJson, type Json } from './config-json.ts';
import { checkFloat } from './check-float.ts';
import { findModel, type ModelPlace } from './find-model.ts';

/** A Hugging Face style folder of a model of images or sounds. */
export interface MediaModel extends ModelPlace {
  readonly model: Model;
  /** The model as one ONNX file. */
  readonly onnx: Uint8Array;
  /** Class names by index, from config.json's id2label. */
  readonly labels: readonly string[];
  readonly multiLabel: boolean;
  /** preprocessor_config.json; empty where there is none. */
  readonly processor: Json;
  /** config.json's `edgewise`: fields of the package's manifest that Hugging Face has no name for, such as `detection`. */
  readonly fields: Json;
}

/**
 * Reads model.onnx (or onnx/model.onnx), config.json and preprocessor_config.json.
 * @throws UsageError naming what is missing or unreadable, and for weights that are quantized at run time
 */
export async function readMediaModel(path: string): Promise<MediaModel> {
  const place = findModel(path, 'config.json and preprocessor_config.json');
  const { model, bytes } = await readOnnxFile(place.onnxPath);
  checkFloat(model, place.onnxPath, { static: true });
  const config = await readJson(join(place.folder, 'config.json'));
  return {
    ...place,
    model,
    onnx: bytes,
    labels: labelsOf(config),
    multiLabel: isMultiLabel(config),
    processor: await readJson(join(place.folder, 'preprocessor_config.json')),
    fields: objectOf(config['edgewise']) ?? {},
  };
}
