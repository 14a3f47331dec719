import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { fromBinary } from '@bufbuild/protobuf';
import { sharedAsset } from '@edgewise/test-utils';
import { unpackTar } from 'modern-tar';
import { TensorProtoSchema } from '../src/import/onnx/proto/onnx_pb.ts';
import { readTensor } from '../src/import/onnx/read-tensor.ts';

/** The node, simple and pytorch-operator tests of ONNX 1.19.0. */
export const BACKEND_ARCHIVE = 'onnx-backend-tests/onnx-1.19.0-node-simple-pytorch-operator.tar.gz';

export interface BackendCase {
  model: Uint8Array;
  /** Serialized values of the first data set, by position. */
  readonly inputs: Uint8Array[];
  readonly outputs: Uint8Array[];
}

/** All cases by path, `node/test_abs`. */
export async function readBackendCases(): Promise<Map<string, BackendCase>> {
  const cases = new Map<string, BackendCase>();
  for (const { header, data } of await unpackTar(gunzipSync(readFileSync(sharedAsset(BACKEND_ARCHIVE))))) {
    const [, name, kind, position] =
      /^(.*)\/(?:model\.onnx|test_data_set_0\/(input|output)_(\d+)\.pb)$/.exec(header.name) ?? [];
    if (name === undefined || data === undefined) continue;
    const entry = cases.get(name) ?? { model: new Uint8Array(), inputs: [], outputs: [] };
    if (kind === 'input') entry.inputs[Number(position)] = data;
    else if (kind === 'output') entry.outputs[Number(position)] = data;
    else entry.model = data;
    cases.set(name, entry);
  }
  return cases;
}

/** A serialized `TensorProto`. */
export function readValue(bytes: Uint8Array): ReturnType<typeof readTensor> {
  return readTensor(fromBinary(TensorProtoSchema, bytes), 'value', { file: undefined, external: undefined });
}
