import { isFieldSet } from '@bufbuild/protobuf';
import { CompilerError } from '../../diagnostics/index.ts';
import type { Attribute, Graph } from '../../ir/index.ts';
import {
  AttributeProto_AttributeType as AttributeType,
  AttributeProto_AttributeTypeSchema,
  AttributeProtoSchema,
  type AttributeProto,
  type GraphProto,
} from './proto/onnx_pb.ts';
import { readSparseTensor, readTensor, type TensorSource } from './read-tensor.ts';
import { readType } from './read-type.ts';

export interface AttributeContext extends TensorSource {
  /** Reads a subgraph that belongs to this attribute. */
  readonly readGraph: (proto: GraphProto, attribute: string) => Graph;
}

/** An `AttributeProto`. @param owner how messages name the node or function: `node 'Conv_1'` */
export function readAttribute(proto: AttributeProto, owner: string, context: AttributeContext): Attribute {
  const label = `attribute '${proto.name}' of ${owner}`;
  if (proto.refAttrName) return { kind: 'reference', type: typeName(proto.type), name: proto.refAttrName };
  switch (proto.type === AttributeType.UNDEFINED ? guessType(proto) : proto.type) {
    case AttributeType.FLOAT:
      return { kind: 'float', value: proto.f };
    case AttributeType.INT:
      return { kind: 'int', value: proto.i };
    case AttributeType.STRING:
      return { kind: 'string', value: proto.s };
    case AttributeType.TENSOR:
      return { kind: 'tensor', value: readTensor(required(proto.t), label, context) };
    case AttributeType.GRAPH:
      return { kind: 'graph', value: context.readGraph(required(proto.g), proto.name) };
    case AttributeType.SPARSE_TENSOR:
      return { kind: 'sparse-tensor', value: readSparseTensor(required(proto.sparseTensor), label, context) };
    case AttributeType.TYPE_PROTO:
      return { kind: 'type', value: required(readType(required(proto.tp), label, context.file)) };
    case AttributeType.FLOATS:
      return { kind: 'floats', value: proto.floats };
    case AttributeType.INTS:
      return { kind: 'ints', value: proto.ints };
    case AttributeType.STRINGS:
      return { kind: 'strings', value: proto.strings };
    case AttributeType.TENSORS:
      return { kind: 'tensors', value: proto.tensors.map((tensor) => readTensor(tensor, label, context)) };
    case AttributeType.GRAPHS:
      return { kind: 'graphs', value: proto.graphs.map((graph) => context.readGraph(graph, proto.name)) };
    case AttributeType.SPARSE_TENSORS:
      return {
        kind: 'sparse-tensors',
        value: proto.sparseTensors.map((tensor) => readSparseTensor(tensor, label, context)),
      };
    case AttributeType.TYPE_PROTOS:
      return {
        kind: 'types',
        value: proto.typeProtos.map((type) => required(readType(type, label, context.file))),
      };
    case AttributeType.UNDEFINED:
      throw fail('has no type and no value');
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
function guessType(proto: AttributeProto): AttributeType {
  const { field } = AttributeProtoSchema;
  const candidates = [
    [field.f, AttributeType.FLOAT],
    [field.i, AttributeType.INT],
    [field.s, AttributeType.STRING],
    [field.t, AttributeType.TENSOR],
    [field.g, AttributeType.GRAPH],
    [field.floats, AttributeType.FLOATS],
    [field.ints, AttributeType.INTS],
    [field.strings, AttributeType.STRINGS],
    [field.tensors, AttributeType.TENSORS],
    [field.graphs, AttributeType.GRAPHS],
  ] as const;
  return candidates.find(([desc]) => isFieldSet(proto, desc))?.[1] ?? AttributeType.UNDEFINED;
}
