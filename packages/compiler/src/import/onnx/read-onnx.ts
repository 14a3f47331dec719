import type { DescField } from '@bufbuild/protobuf';
import { CompilerError } from '../../diagnostics/index.ts';
import type { Attribute, Graph, Model, ModelFunction, Node, Tensor, ValueInfo } from '../../ir/index.ts';
import { checkWire } from './check-wire.ts';
import type { ExternalData } from './external-data.ts';
import {
  FunctionProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  SparseTensorProtoSchema,
  TensorProtoSchema,
  ValueInfoProtoSchema,
  type OperatorSetIdProto,
} from './proto/onnx_pb.ts';
import { readAttribute } from './read-attribute.ts';
import { decode, decodeRest, fieldBytes, readEach } from './read-fields.ts';
import { readPairs } from './read-pairs.ts';
import { plainBytes, readSparseTensor, readTensor } from './read-tensor.ts';
import { readValueInfo } from './read-type.ts';

export interface ReadOnnxOptions {
  /** File name for messages. */
  readonly file?: string;
  /** Where external data comes from. Without it, models with external data are refused. */
  readonly external?: ExternalData;
}

/**
 * Reads an ONNX model of any opset and domain. Weights stay views on `bytes` (or on what `external` returned), so the
 * caller gives up the right to change them; only tensors stored as varints (int32_data and the like) are copied.
 *
 * Not kept, because it does not change what the model computes: denotations, doc strings and metadata of tensors and
 * attributes, device placement.
 * @throws CompilerError `bad-file`, `too-large`, `external-data`, or `unsupported` for training graphs, opaque types and
 * segmented tensors. Structure (SSA, order, opsets) is not checked here but by `validateModel`.
 */
export function readOnnx(bytes: Uint8Array, options: ReadOnnxOptions = {}): Model {
  const { file, external } = options;
  const model = plainBytes(bytes);
  try {
    checkWire(model);
  } catch (error) {
    throw notReadable(error, model, file);
  }
  return createReader({ file, external }).model(model);
}

function notReadable(error: unknown, bytes: Uint8Array, file: string | undefined): CompilerError {
  const problem = error instanceof Error ? error.message : String(error);
  const { code, hint } = error instanceof CompilerError ? error : { code: 'bad-file' as const };
  const message = `this is not a readable ONNX model: ${problem}`;
  return fail(code, message, file, recognize(bytes) ?? hint, error);
}

/** What the file might be instead. */
function recognize(bytes: Uint8Array): string | undefined {
  const start = String.fromCharCode(...bytes.subarray(0, 64));
  if (bytes.length === 0) return 'the file is empty';
  if (start.startsWith('version https://git-lfs')) return 'it is a Git LFS pointer; run git lfs pull';
  if (start.startsWith('PK')) return 'it is a zip archive (a PyTorch checkpoint?); export the model to ONNX';
  if (start.slice(4, 8) === 'TFL3') return 'it is a TensorFlow Lite model';
  if (/^(?:\s*[<{]|[\t\n\r\x20-\x7e]*$)/.test(start))
    return 'it is text, perhaps an error page of a download';
  return undefined;
}

interface ModelReader {
  readonly model: (bytes: Uint8Array) => Model;
}

/** Reads messages from their bytes, node by node and tensor by tensor, so that little more than the model is in memory. */
function createReader(source: { file: string | undefined; external: ExternalData | undefined }): ModelReader {
  const { file } = source;
  const context = { ...source, readGraph };
  return { model: readModel };

  function readModel(bytes: Uint8Array): Model {
    const { field } = ModelProtoSchema;
    const graph = fieldBytes(bytes, field.graph);
    if (graph === undefined)
      throw fail('bad-file', 'this is not an ONNX model: it has no graph', file, recognize(bytes));
    if (fieldBytes(bytes, field.trainingInfo) !== undefined) {
      throw fail('unsupported', 'the model carries training graphs', file, 'export it for inference');
    }
    const proto = decodeRest(ModelProtoSchema, bytes, [field.graph, field.functions]);
    return {
      irVersion: safeNumber(proto.irVersion, 'ir_version', file),
      opsets: readOpsets(proto.opsetImport, file),
      producer: { name: proto.producerName, version: proto.producerVersion },
      domain: proto.domain,
      modelVersion: proto.modelVersion,
      ...(proto.docString ? { doc: proto.docString } : {}),
      metadata: readPairs(proto.metadataProps),
      graph: readGraph(graph),
      functions: readEach(bytes, field.functions, readFunction),
    };
  }

  function readGraph(bytes: Uint8Array): Graph {
    const { field } = GraphProtoSchema;
    const proto = decodeRest(GraphProtoSchema, bytes, [
      field.node,
      field.initializer,
      field.sparseInitializer,
      field.input,
      field.output,
      field.valueInfo,
    ]);
    return {
      name: proto.name,
      ...(proto.docString ? { doc: proto.docString } : {}),
      inputs: readEach(bytes, field.input, readInfo),
      outputs: readEach(bytes, field.output, readInfo),
      nodes: readEach(bytes, field.node, readNode),
      initializers: readInitializers(bytes),
      valueInfo: new Map(readEach(bytes, field.valueInfo, readInfo).map((info) => [info.name, info])),
      ...(proto.quantizationAnnotation.length > 0
        ? {
            quantizationAnnotations: proto.quantizationAnnotation.map((annotation) => ({
              tensor: annotation.tensorName,
              parameters: readPairs(annotation.quantParameterTensorNames),
            })),
          }
        : {}),
      ...(proto.metadataProps.length > 0 ? { metadata: readPairs(proto.metadataProps) } : {}),
    };
  }

  function readInfo(bytes: Uint8Array): ValueInfo {
    return readValueInfo(decode(ValueInfoProtoSchema, bytes), file);
  }

  function readInitializers(graph: Uint8Array): Map<string, Tensor> {
    const { field } = GraphProtoSchema;
    const initializers = new Map<string, Tensor>();
    const add = (name: string, tensor: Tensor): void => {
      if (initializers.has(name)) throw fail('bad-file', `there are two initializers '${name}'`, file);
      initializers.set(name, tensor);
    };
    readEach(graph, field.initializer, (bytes) => {
      const proto = decode(TensorProtoSchema, bytes);
      add(proto.name, readTensor(proto, `initializer '${proto.name}'`, source));
    });
    readEach(graph, field.sparseInitializer, (bytes) => {
      const proto = decode(SparseTensorProtoSchema, bytes);
      const name = proto.values?.name ?? '';
      add(name, readSparseTensor(proto, `sparse initializer '${name}'`, source));
    });
    return initializers;
  }

  function readNode(bytes: Uint8Array, index: number): Node {
    const { field } = NodeProtoSchema;
    const proto = decodeRest(NodeProtoSchema, bytes, [field.attribute, field.deviceConfigurations]);
    const owner = proto.name ? `node '${proto.name}'` : `node #${index} ${proto.opType}`;
    return {
      name: proto.name,
      opType: proto.opType,
      domain: plainDomain(proto.domain),
      // Copies, because arrays that grew by themselves keep room for 16 more.
      inputs: proto.input.slice(),
      outputs: proto.output.slice(),
      attributes: readAttributes(bytes, field.attribute, owner),
      ...(proto.overload ? { overload: proto.overload } : {}),
      ...(proto.docString ? { doc: proto.docString } : {}),
      ...(proto.metadataProps.length > 0 ? { metadata: readPairs(proto.metadataProps) } : {}),
    };
  }

  function readAttributes(
    bytes: Uint8Array,
    field: DescField,
    owner: string,
  ): ReadonlyMap<string, Attribute> {
    const attributes = new Map<string, Attribute>();
    readEach(bytes, field, (attribute) => {
      const [name, value] = readAttribute(attribute, owner, context);
      if (attributes.has(name)) throw fail('bad-file', `${owner} has two attributes '${name}'`, file);
      attributes.set(name, value);
    });
    return attributes.size === 0 ? NO_ATTRIBUTES : attributes;
  }

  function readFunction(bytes: Uint8Array): ModelFunction {
    const { field } = FunctionProtoSchema;
    const proto = decodeRest(FunctionProtoSchema, bytes, [field.node, field.attributeProto, field.valueInfo]);
    const valueInfo = readEach(bytes, field.valueInfo, readInfo);
    return {
      name: proto.name,
      domain: plainDomain(proto.domain),
      ...(proto.overload ? { overload: proto.overload } : {}),
      inputs: proto.input,
      outputs: proto.output,
      attributes: proto.attribute,
      attributeDefaults: readAttributes(bytes, field.attributeProto, `function '${proto.name}'`),
      nodes: readEach(bytes, field.node, readNode),
      opsets: readOpsets(proto.opsetImport, file),
      ...(valueInfo.length > 0 ? { valueInfo } : {}),
      ...(proto.docString ? { doc: proto.docString } : {}),
      ...(proto.metadataProps.length > 0 ? { metadata: readPairs(proto.metadataProps) } : {}),
    };
  }
}

/** Shared by all nodes without attributes, because an empty map takes 200 bytes. */
const NO_ATTRIBUTES: ReadonlyMap<string, Attribute> = new Map();

function readOpsets(imports: readonly OperatorSetIdProto[], file: string | undefined): Map<string, number> {
  const opsets = new Map<string, number>();
  for (const { domain: written, version: bigVersion } of imports) {
    const domain = plainDomain(written);
    const version = safeNumber(bigVersion, 'opset version', file);
    if ((opsets.get(domain) ?? version) !== version) {
      throw fail('bad-file', `two versions of the operator set '${domain || 'ai.onnx'}' are imported`, file);
    }
    opsets.set(domain, version);
  }
  return opsets;
}

/** `ai.onnx` is the other name of the empty domain. */
function plainDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain;
}

function safeNumber(value: bigint, what: string, file: string | undefined): number {
  if (value < 0n || value > Number.MAX_SAFE_INTEGER) throw fail('bad-file', `${what} is ${value}`, file);
  return Number(value);
}

function fail(
  code: CompilerError['code'],
  message: string,
  file: string | undefined,
  hint?: string,
  cause?: unknown,
): CompilerError {
  return new CompilerError(code, message, {
    ...(file === undefined ? {} : { at: { file } }),
    ...(hint === undefined ? {} : { hint }),
    ...(cause === undefined ? {} : { cause }),
  });
}
