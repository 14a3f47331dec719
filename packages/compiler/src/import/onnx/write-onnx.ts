import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { CompilerError } from '../../diagnostics/index.ts';
import type { Attribute, Graph, Model, ModelFunction, Node, Tensor } from '../../ir/index.ts';
import { FILE_BYTES_LIMIT } from './check-wire.ts';
import { flattenChunks, joinChunks, lengthDelimited, type Chunks } from './chunks.ts';
import { checkExternalLocation } from './external-data.ts';
import {
  AttributeProto_AttributeType as AttributeType,
  AttributeProtoSchema,
  FunctionProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
} from './proto/onnx_pb.ts';
import { writeSparseTensor, writeTensor, type ExternalPlace } from './write-tensor.ts';
import { writePairs, writeType, writeValueInfo } from './write-type.ts';

export interface WriteOnnxOptions {
  /** Puts initializers into a second file. Needed for models over 2 GiB. */
  readonly external?: {
    /** Path of that file, relative to the model's folder. */
    readonly location: string;
    /** Initializers with fewer bytes stay in the model file. Default 1024. */
    readonly thresholdBytes?: number;
  };
}

export interface OnnxFile {
  readonly bytes: Uint8Array;
  /** With the option `external`: what to write there, in order. The parts are the tensors' own bytes, not copies. */
  readonly externalData?: {
    readonly location: string;
    readonly parts: readonly Uint8Array[];
    readonly byteLength: number;
  };
}

const EXTERNAL_THRESHOLD_BYTES = 1024;

/** onnxruntime maps external tensors into memory where they start on a page. */
const PAGE_BYTES = 4096;

/**
 * Writes a model as ONNX. `readOnnx` of the result is an equal model; data is written raw whatever form it had.
 * Weights are copied once, into the result, or not at all with external data.
 * @throws CompilerError `too-large` when the file would exceed protobuf's 2 GiB, `external-data` for a location outside
 * the model's folder.
 */
export function writeOnnx(model: Model, options: WriteOnnxOptions = {}): OnnxFile {
  const external = options.external === undefined ? undefined : createExternalFile(options.external);
  const chunks = createWriter(external?.place).model(model);
  if (chunks.byteLength > FILE_BYTES_LIMIT) {
    throw new CompilerError(
      'too-large',
      `the model takes ${chunks.byteLength} bytes; an ONNX file ends at 2 GiB`,
      {
        hint: 'write the weights as external data',
      },
    );
  }
  const bytes = flattenChunks(chunks);
  return external === undefined ? { bytes } : { bytes, externalData: external.finish() };
}

type PlaceTensor = (tensor: Tensor) => ExternalPlace | undefined;

function createExternalFile(options: NonNullable<WriteOnnxOptions['external']>): {
  place: PlaceTensor;
  finish: () => NonNullable<OnnxFile['externalData']>;
} {
  const { thresholdBytes = EXTERNAL_THRESHOLD_BYTES } = options;
  const location = checkExternalLocation(options.location, 'the model', undefined);
  const parts: Uint8Array[] = [];
  let byteLength = 0;
  return {
    place: (tensor) => {
      if (tensor.kind !== 'dense' || tensor.data.byteLength < thresholdBytes) return undefined;
      const offset = Math.ceil(byteLength / PAGE_BYTES) * PAGE_BYTES;
      if (offset > byteLength) parts.push(new Uint8Array(offset - byteLength));
      parts.push(tensor.data);
      byteLength = offset + tensor.data.byteLength;
      return { location, offset };
    },
    finish: () => ({ location, parts, byteLength }),
  };
}

function createWriter(place: PlaceTensor = () => undefined): { model: (model: Model) => Chunks } {
  return { model: writeModel };

  function writeModel(model: Model): Chunks {
    const { field } = ModelProtoSchema;
    const head = create(ModelProtoSchema, {
      irVersion: BigInt(model.irVersion),
      ...optional('producerName', model.producer.name),
      ...optional('producerVersion', model.producer.version),
      ...optional('domain', model.domain),
      ...(model.modelVersion === 0n ? {} : { modelVersion: model.modelVersion }),
      ...optional('docString', model.doc),
      opsetImport: writeOpsets(model.opsets),
      metadataProps: writePairs(model.metadata),
    });
    return joinChunks([
      toBinary(ModelProtoSchema, head),
      lengthDelimited(field.graph.number, writeGraph(model.graph)),
      ...model.functions.map((fn) => lengthDelimited(field.functions.number, writeFunction(fn))),
    ]);
  }

  function writeGraph(graph: Graph): Chunks {
    const { field } = GraphProtoSchema;
    const rest = create(GraphProtoSchema, {
      name: graph.name,
      ...optional('docString', graph.doc),
      input: graph.inputs.map(writeValueInfo),
      output: graph.outputs.map(writeValueInfo),
      valueInfo: [...graph.valueInfo.values()].map(writeValueInfo),
      quantizationAnnotation: (graph.quantizationAnnotations ?? []).map(({ tensor, parameters }) => ({
        tensorName: tensor,
        quantParameterTensorNames: writePairs(parameters),
      })),
      metadataProps: writePairs(graph.metadata),
    });
    return joinChunks([
      ...graph.nodes.map((node) => lengthDelimited(field.node.number, writeNode(node))),
      ...[...graph.initializers].map(([name, tensor]) =>
        tensor.kind === 'sparse'
          ? lengthDelimited(field.sparseInitializer.number, writeSparseTensor(name, tensor))
          : lengthDelimited(field.initializer.number, writeTensor(name, tensor, place(tensor))),
      ),
      toBinary(GraphProtoSchema, rest),
    ]);
  }

  function writeNode(node: Node): Chunks {
    const rest = create(NodeProtoSchema, {
      input: [...node.inputs],
      output: [...node.outputs],
      ...optional('name', node.name),
      opType: node.opType,
      ...optional('domain', node.domain),
      ...optional('overload', node.overload),
      ...optional('docString', node.doc),
      metadataProps: writePairs(node.metadata),
    });
    return joinChunks([
      toBinary(NodeProtoSchema, rest),
      ...writeAttributes(NodeProtoSchema.field.attribute.number, node.attributes),
    ]);
  }

  function writeFunction(fn: ModelFunction): Chunks {
    const { field } = FunctionProtoSchema;
    const rest = create(FunctionProtoSchema, {
      name: fn.name,
      domain: fn.domain,
      ...optional('overload', fn.overload),
      input: [...fn.inputs],
      output: [...fn.outputs],
      attribute: [...fn.attributes],
      opsetImport: writeOpsets(fn.opsets),
      valueInfo: (fn.valueInfo ?? []).map(writeValueInfo),
      ...optional('docString', fn.doc),
      metadataProps: writePairs(fn.metadata),
    });
    return joinChunks([
      toBinary(FunctionProtoSchema, rest),
      ...writeAttributes(field.attributeProto.number, fn.attributeDefaults),
      ...fn.nodes.map((node) => lengthDelimited(field.node.number, writeNode(node))),
    ]);
  }

  function writeAttributes(fieldNumber: number, attributes: ReadonlyMap<string, Attribute>): Chunks[] {
    return [...attributes].map(([name, value]) => lengthDelimited(fieldNumber, writeAttribute(name, value)));
  }

  function writeAttribute(name: string, attribute: Attribute): Chunks {
    const head = create(AttributeProtoSchema, {
      name,
      type: attributeType(attribute),
      ...plainValue(attribute),
    });
    return joinChunks([toBinary(AttributeProtoSchema, head), ...largeValues(attribute)]);
  }

  /** The values that may hold tensors, as fields. */
  function largeValues(attribute: Attribute): Chunks[] {
    const { field } = AttributeProtoSchema;
    const write = <T>(fieldNumber: number, values: readonly T[], encode: (value: T) => Chunks): Chunks[] =>
      values.map((value) => lengthDelimited(fieldNumber, encode(value)));
    switch (attribute.kind) {
      case 'tensor':
        return write(field.t.number, [attribute.value], writeAttributeTensor);
      case 'tensors':
        return write(field.tensors.number, attribute.value, writeAttributeTensor);
      case 'sparse-tensor':
        return write(field.sparseTensor.number, [attribute.value], (tensor) => writeSparseTensor('', tensor));
      case 'sparse-tensors':
        return write(field.sparseTensors.number, attribute.value, (tensor) => writeSparseTensor('', tensor));
      case 'graph':
        return write(field.g.number, [attribute.value], writeGraph);
      case 'graphs':
        return write(field.graphs.number, attribute.value, writeGraph);
      default:
        return [];
    }
  }
}

function writeAttributeTensor(tensor: Tensor): Chunks {
  return tensor.kind === 'sparse' ? writeSparseTensor('', tensor) : writeTensor('', tensor);
}

type AttributeInit = MessageInitShape<typeof AttributeProtoSchema>;

function plainValue(attribute: Attribute): AttributeInit {
  switch (attribute.kind) {
    case 'float':
      return { f: attribute.value };
    case 'int':
      return { i: attribute.value };
    case 'string':
      return { s: attribute.value };
    case 'type':
      return { tp: writeType(attribute.value) };
    case 'floats':
      return { floats: [...attribute.value] };
    case 'ints':
      return { ints: [...attribute.value] };
    case 'strings':
      return { strings: [...attribute.value] };
    case 'types':
      return { typeProtos: attribute.value.map(writeType) };
    case 'reference':
      return { refAttrName: attribute.name };
    default:
      return {};
  }
}

const ATTRIBUTE_TYPES = {
  float: AttributeType.FLOAT,
  int: AttributeType.INT,
  string: AttributeType.STRING,
  tensor: AttributeType.TENSOR,
  graph: AttributeType.GRAPH,
  'sparse-tensor': AttributeType.SPARSE_TENSOR,
  type: AttributeType.TYPE_PROTO,
  floats: AttributeType.FLOATS,
  ints: AttributeType.INTS,
  strings: AttributeType.STRINGS,
  tensors: AttributeType.TENSORS,
  graphs: AttributeType.GRAPHS,
  'sparse-tensors': AttributeType.SPARSE_TENSORS,
  types: AttributeType.TYPE_PROTOS,
} as const;

function attributeType(attribute: Attribute): AttributeType {
  if (attribute.kind !== 'reference') return ATTRIBUTE_TYPES[attribute.kind];
  return AttributeType[attribute.type as keyof typeof AttributeType] ?? AttributeType.UNDEFINED;
}

function writeOpsets(opsets: ReadonlyMap<string, number>): { domain: string; version: bigint }[] {
  return [...opsets].map(([domain, version]) => ({ domain, version: BigInt(version) }));
}

/** Leaves empty texts out of the file. */
function optional<K extends string>(key: K, text: string | undefined): { [P in K]?: string } {
  return text ? ({ [key]: text } as { [P in K]: string }) : {};
}
