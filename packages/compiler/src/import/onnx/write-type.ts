import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  DATA_TYPE_CODES,
  dimToParam,
  type Dim,
  type Shape,
  type ValueInfo,
  type ValueType,
} from '../../ir/index.ts';
import {
  TypeProtoSchema,
  ValueInfoProtoSchema,
  type TensorShapeProto_DimensionSchema,
  type TypeProto,
  type ValueInfoProto,
} from './proto/onnx_pb.ts';

type DimensionInit = MessageInitShape<typeof TensorShapeProto_DimensionSchema>;
type PairInit = { key: string; value: string };

export function writeValueInfo({ name, type, doc, metadata }: ValueInfo): ValueInfoProto {
  return create(ValueInfoProtoSchema, {
    name,
    ...(type === undefined ? {} : { type: writeType(type) }),
    ...(doc === undefined ? {} : { docString: doc }),
    metadataProps: writePairs(metadata),
  });
}

export function writeType(type: ValueType): TypeProto {
  return create(TypeProtoSchema, { value: typeValue(type) });
}

export function writePairs(pairs: ReadonlyMap<string, string> | undefined): PairInit[] {
  return [...(pairs ?? [])].map(([key, value]) => ({ key, value }));
}

function typeValue(type: ValueType): NonNullable<MessageInitShape<typeof TypeProtoSchema>['value']> {
  switch (type.kind) {
    case 'tensor':
      return { case: 'tensorType', value: tensorType(type.dtype, type.shape) };
    case 'sparse-tensor':
      return { case: 'sparseTensorType', value: tensorType(type.dtype, type.shape) };
    case 'sequence':
      return { case: 'sequenceType', value: { elemType: writeType(type.element) } };
    case 'optional':
      return { case: 'optionalType', value: { elemType: writeType(type.element) } };
    case 'map':
      return {
        case: 'mapType',
        value: { keyType: DATA_TYPE_CODES[type.key], valueType: writeType(type.value) },
      };
  }
}

function tensorType(
  dtype: keyof typeof DATA_TYPE_CODES,
  shape: Shape | undefined,
): { elemType: number; shape?: { dim: DimensionInit[] } } {
  const elemType = DATA_TYPE_CODES[dtype];
  return shape === undefined ? { elemType } : { elemType, shape: { dim: shape.map(writeDim) } };
}

function writeDim(dim: Dim): DimensionInit {
  if (dim === null) return {};
  if (typeof dim === 'number') return { value: { case: 'dimValue', value: BigInt(dim) } };
  return { value: { case: 'dimParam', value: dimToParam(dim) } };
}
