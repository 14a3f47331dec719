import { isFieldSet } from '@bufbuild/protobuf';
import { CompilerError } from '../../diagnostics/index.ts';
import type { Attribute, Graph } from '../../ir/index.ts';
import {
  AttributeProto_AttributeType as AttributeType,
  AttributeProto_AttributeTypeSchema,
  AttributeProtoSchema,
  SparseTensorProtoSchema,
  TensorProtoSchema,
  TypeProtoSchema,
  type AttributeProto,
} from './proto/onnx_pb.ts';
import { decode, decodeRest, fieldBytes, readEach } from './read-fields.ts';
import { readSparseTensor, readTensor, type TensorSource } from './read-tensor.ts';
import { readType } from './read-type.ts';

export interface AttributeContext extends TensorSource {
  /** Reads the `GraphProto` of a subgraph. */
  readonly readGraph: (bytes: Uint8Array) => Graph;
}

const { field } = AttributeProtoSchema;
const APART = [field.g, field.graphs, field.tensors, field.sparseTensors, field.typeProtos];

/** An `AttributeProto`, with its name. @param owner how messages name the node or function: `node 'Conv_1'` */
export function readAttribute(
  bytes: Uint8Array,
  owner: string,
  context: AttributeContext,
): [name: string, value: Attribute] {
  const proto = decodeRest(AttributeProtoSchema, bytes, APART);
  const label = `attribute '${proto.name}' of ${owner}`;
  return [proto.name, readValue()];

  function readValue(): Attribute {
    if (proto.refAttrName) return { kind: 'reference', type: typeName(proto.type), name: proto.refAttrName };
    switch (proto.type === AttributeType.UNDEFINED ? guessType(proto, bytes) : proto.type) {
      case AttributeType.FLOAT:
        return { kind: 'float', value: proto.f };
      case AttributeType.INT:
        return { kind: 'int', value: proto.i };
      case AttributeType.STRING:
        return { kind: 'string', value: proto.s };
      case AttributeType.TENSOR:
        return { kind: 'tensor', value: readTensor(required(proto.t), label, context) };
      case AttributeType.GRAPH:
        return { kind: 'graph', value: context.readGraph(required(fieldBytes(bytes, field.g))) };
      case AttributeType.SPARSE_TENSOR:
        return {
          kind: 'sparse-tensor',
          value: readSparseTensor(required(proto.sparseTensor), label, context),
        };
      case AttributeType.TYPE_PROTO:
        return { kind: 'type', value: required(readType(required(proto.tp), label, context.file)) };
      case AttributeType.FLOATS:
        return { kind: 'floats', value: proto.floats };
      case AttributeType.INTS:
        return { kind: 'ints', value: proto.ints };
      case AttributeType.STRINGS:
        return { kind: 'strings', value: proto.strings };
      case AttributeType.TENSORS:
        return {
          kind: 'tensors',
          value: readEach(bytes, field.tensors, (tensor) =>
            readTensor(decode(TensorProtoSchema, tensor), label, context),
          ),
        };
      case AttributeType.GRAPHS:
        return { kind: 'graphs', value: readEach(bytes, field.graphs, context.readGraph) };
      case AttributeType.SPARSE_TENSORS:
        return {
          kind: 'sparse-tensors',
          value: readEach(bytes, field.sparseTensors, (tensor) =>
            readSparseTensor(decode(SparseTensorProtoSchema, tensor), label, context),
          ),
        };
      case AttributeType.TYPE_PROTOS:
        return {
          kind: 'types',
          value: readEach(bytes, field.typeProtos, (type) =>
            required(readType(decode(TypeProtoSchema, type), label, context.file)),
          ),
        };
      case AttributeType.UNDEFINED:
        throw fail('has no type and no value');
    }
  }

  function required<T>(value: T | undefined): T {
    if (value === undefined) throw fail(`is ${typeName(proto.type)} but has no value`);
    return value;
  }

  function fail(problem: string): CompilerError {
    const { file } = context;
    return new CompilerError('bad-file', `${label} ${problem}`, file === undefined ? {} : { at: { file } });
  }
}

function typeName(type: AttributeType): string {
  return AttributeProto_AttributeTypeSchema.value[type]?.name ?? 'UNDEFINED';
}

/** Files of the first IR version have no `type`; exactly one value field is set. */
function guessType(proto: AttributeProto, bytes: Uint8Array): AttributeType {
  const plain = [
    [field.f, AttributeType.FLOAT],
    [field.i, AttributeType.INT],
    [field.s, AttributeType.STRING],
    [field.t, AttributeType.TENSOR],
    [field.floats, AttributeType.FLOATS],
    [field.ints, AttributeType.INTS],
    [field.strings, AttributeType.STRINGS],
  ] as const;
  const apart = [
    [field.g, AttributeType.GRAPH],
    [field.tensors, AttributeType.TENSORS],
    [field.graphs, AttributeType.GRAPHS],
  ] as const;
  const [, type = AttributeType.UNDEFINED] =
    plain.find(([desc]) => isFieldSet(proto, desc)) ??
    apart.find(([desc]) => fieldBytes(bytes, desc) !== undefined) ??
    [];
  return type;
}
