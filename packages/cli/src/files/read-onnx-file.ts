import { closeSync, openSync, readSync, realpathSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { readOnnx, writeOnnx, type ExternalData, type Model } from '@edgewise/compiler';
import { UsageError } from '../command/usage-error.ts';
import { readInput } from './read-input.ts';

export interface OnnxFileContents {
  readonly model: Model;
  /** The model as one ONNX file: what was read, or written anew when its weights were in other files. */
  readonly bytes: Uint8Array;
}

/** Reads an ONNX file with the weights that it keeps in files beside it. */
export async function readOnnxFile(file: string): Promise<OnnxFileContents> {
  const bytes = await readInput(file);
  let others = false;
  const beside = externalDataBeside(file);
  const external: ExternalData = (...place) => {
    others = true;
    return beside(...place);
  };
  const model = readOnnx(bytes, { file, external });
  return { model, bytes: others ? writeOnnx(model).bytes : bytes };
}

/** Data files in the model's folder; links that lead out of it are refused. */
function externalDataBeside(file: string): ExternalData {
  const folder = realpathSync(dirname(file));
  return (location, offset, length) => {
    let path: string;
    try {
      path = realpathSync(join(folder, ...location.split('/')));
    } catch {
      return undefined;
    }
    if (!path.startsWith(folder + sep))
      throw new UsageError(`${file}: its data file ${location} is a link out of the model's folder.`);
    return readPart(path, offset, length);
  };
}

function readPart(path: string, offset: number, length: number): Uint8Array {
  const handle = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(length);
    const read = readSync(handle, bytes, 0, length, offset);
    return bytes.subarray(0, read);
  } finally {
    closeSync(handle);
  }
}
