import { create, toBinary } from '@bufbuild/protobuf';
import { DATA_TYPE_CODES, type DenseTensor, type SparseTensor, type StringTensor } from '../../ir/index.ts';
import { joinChunks, lengthDelimited, type Chunks } from './chunks.ts';
import { SparseTensorProtoSchema, TensorProto_DataLocation, TensorProtoSchema } from './proto/onnx_pb.ts';

const RAW_DATA = TensorProtoSchema.field.rawData.number;

/** Where an initializer's data went; `offset` in bytes from the start of the external file. */
export interface ExternalPlace {
  readonly location: string;
  readonly offset: number;
}

/** A `TensorProto` with raw data, or with a pointer to it when `external` is given. */
export function writeTensor(
  name: string,
  tensor: DenseTensor | StringTensor,
  external?: ExternalPlace,
): Chunks {
  const head = {
    name,
    dims: tensor.dims.map(BigInt),
    dataType: DATA_TYPE_CODES[tensor.dtype],
  };
  if (tensor.kind === 'string') {
    const proto = create(TensorProtoSchema, { ...head, stringData: [...tensor.strings] });
    return joinChunks([toBinary(TensorProtoSchema, proto)]);
  }
  if (external === undefined) {
    const proto = create(TensorProtoSchema, head);
    return joinChunks([toBinary(TensorProtoSchema, proto), lengthDelimited(RAW_DATA, tensor.data)]);
  }
  const proto = create(TensorProtoSchema, {
    ...head,
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: [
      { key: 'location', value: external.location },
      { key: 'offset', value: String(external.offset) },
      { key: 'length', value: String(tensor.data.byteLength) },
    ],
  });
  return joinChunks([toBinary(TensorProtoSchema, proto)]);
}

/** A `SparseTensorProto`; ONNX keeps the name of a sparse initializer in its values. */
export function writeSparseTensor(name: string, { values, indices, dims }: SparseTensor): Chunks {
  const { field } = SparseTensorProtoSchema;
  const head = create(SparseTensorProtoSchema, { dims: dims.map(BigInt) });
  return joinChunks([
    lengthDelimited(field.values.number, writeTensor(name, values)),
    lengthDelimited(field.indices.number, writeTensor('', indices)),
    toBinary(SparseTensorProtoSchema, head),
  ]);
}
