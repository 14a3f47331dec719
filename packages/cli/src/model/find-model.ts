import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { UsageError } from '../command/usage-error.ts';

/** Where a model's files are. */
export interface ModelPlace {
  /** Name of the folder. */
  readonly name: string;
  readonly folder: string;
  readonly onnxPath: string;
}

/**
 * The model that a path means: a folder with model.onnx (or onnx/model.onnx), or the .onnx file itself.
 * @param beside what else the folder should hold, for messages
 * @throws UsageError naming what is missing
 */
export function findModel(path: string, beside: string): ModelPlace {
  if (!existsSync(path)) throw new UsageError(`${path} does not exist.`, 'Give a folder with model.onnx.');
  const isFolder = statSync(path).isDirectory();
  if (!isFolder && !path.endsWith('.onnx'))
    throw new UsageError(
      `${path} is no ONNX model.`,
      `Give a folder with model.onnx, ${beside}, or the .onnx file in it.`,
    );
  const folder = isFolder ? path : dirname(path);
  return { name: basename(resolve(folder)), folder, onnxPath: isFolder ? findOnnx(path) : path };
}

function findOnnx(folder: string): string {
  const found = ['model.onnx', join('onnx', 'model.onnx')].map((name) => join(folder, name)).find(existsSync);
  if (found === undefined)
    throw new UsageError(
      `${folder} has no model.onnx.`,
      'Export the model to ONNX, for example with optimum.',
    );
  return found;
}
