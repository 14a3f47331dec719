import { buildPackage } from '@edgewise/compiler';
import { sha256 } from '../../files/hash.ts';
import type { PackageFiles } from '../../measure/package-files.ts';
import type { Subject } from './subject.ts';

const ONNX_FILE = 'model.onnx';

/** The model as it came, for onnxruntime. */
export async function originalPackage({
  description,
  onnx,
  files,
}: Pick<Subject, 'description' | 'onnx' | 'files'>): Promise<PackageFiles> {
  return buildPackage({
    description,
    model: { kind: 'onnx', file: ONNX_FILE },
    files: new Map([[ONNX_FILE, onnx], ...files]),
    sha256,
  });
}
