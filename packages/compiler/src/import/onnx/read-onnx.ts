import { fromBinary } from '@bufbuild/protobuf';
import { CompilerError } from '../../diagnostics/index.ts';
import type { Attribute, Graph, Model, ModelFunction, Node, Tensor, ValueInfo } from '../../ir/index.ts';
import { checkWire } from './check-wire.ts';
import type { ExternalData } from './external-data.ts';
import {
  ModelProtoSchema,
  type AttributeProto,
  type FunctionProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type OperatorSetIdProto,
} from './proto/onnx_pb.ts';
import { readAttribute } from './read-attribute.ts';
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
  const proto = decode(plainBytes(bytes), file);
  if (proto.graph === undefined)
    throw fail('bad-file', 'this is not an ONNX model: it has no graph', file, recognize(bytes));
  if (proto.trainingInfo.length > 0) {
    throw fail('unsupported', 'the model carries training graphs', file, 'export it for inference');
  }
  const reader = createReader({ file, external });
  return {
    irVersion: safeNumber(proto.irVersion, 'ir_version', file),
    opsets: readOpsets(proto.opsetImport, file),
    producer: { name: proto.producerName, version: proto.producerVersion },
    domain: proto.domain,
    modelVersion: proto.modelVersion,
    ...(proto.docString ? { doc: proto.docString } : {}),
    metadata: readPairs(proto.metadataProps),
    graph: reader.graph(proto.graph),
    functions: proto.functions.map(reader.function),
  };
}

function decode(bytes: Uint8Array, file: string | undefined): ModelProto {
  try {
    checkWire(bytes);
    return fromBinary(ModelProtoSchema, bytes, { readUnknownFields: false });
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    const { code, hint } = error instanceof CompilerError ? error : { code: 'bad-file' as const };
    throw fail(code, `this is not a readable ONNX model: ${problem}`, file, recognize(bytes) ?? hint, error);
  }
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

interface GraphReader {
  readonly graph: (proto: GraphProto) => Graph;
  readonly function: (proto: FunctionProto) => ModelFunction;
}

function createReader(source: { file: string | undefined; external: ExternalData | undefined }): GraphReader {
  const { file } = source;
  const context = { ...source, readGraph };
  return { graph: readGraph, function: readFunction };

  function readGraph(proto: GraphProto): Graph {
    return {
      name: proto.name,
      ...(proto.docString ? { doc: proto.docString } : {}),
      inputs: proto.input.map((info) => readValueInfo(info, file)),
      outputs: proto.output.map((info) => readValueInfo(info, file)),
      nodes: proto.node.map(readNode),
      initializers: readInitializers(proto),
      valueInfo: new Map(proto.valueInfo.map((info) => [info.name, readValueInfo(info, file)])),
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

  function readInitializers(proto: GraphProto): Map<string, Tensor> {
    const initializers = new Map<string, Tensor>();
    const add = (name: string, tensor: Tensor): void => {
      if (initializers.has(name)) throw fail('bad-file', `there are two initializers '${name}'`, file);
      initializers.set(name, tensor);
    };
    for (const tensor of proto.initializer) {
      add(tensor.name, readTensor(tensor, `initializer '${tensor.name}'`, source));
    }
    for (const tensor of proto.sparseInitializer) {
      const name = tensor.values?.name ?? '';
      add(name, readSparseTensor(tensor, `sparse initializer '${name}'`, source));
    }
    return initializers;
  }

  function readNode(proto: NodeProto, index: number): Node {
    const owner = proto.name ? `node '${proto.name}'` : `node #${index} ${proto.opType}`;
    return {
      name: proto.name,
      opType: proto.opType,
      domain: plainDomain(proto.domain),
      inputs: proto.input,
      outputs: proto.output,
      attributes: readAttributes(proto.attribute, owner),
      ...(proto.overload ? { overload: proto.overload } : {}),
      ...(proto.docString ? { doc: proto.docString } : {}),
      ...(proto.metadataProps.length > 0 ? { metadata: readPairs(proto.metadataProps) } : {}),
    };
  }

  function readAttributes(protos: readonly AttributeProto[], owner: string): Map<string, Attribute> {
    const attributes = new Map<string, Attribute>();
    for (const proto of protos) {
      if (attributes.has(proto.name))
        throw fail('bad-file', `${owner} has two attributes '${proto.name}'`, file);
      attributes.set(proto.name, readAttribute(proto, owner, context));
    }
    return attributes;
  }

  function readFunction(proto: FunctionProto): ModelFunction {
    const valueInfo: ValueInfo[] = proto.valueInfo.map((info) => readValueInfo(info, file));
    return {
      name: proto.name,
      domain: plainDomain(proto.domain),
      ...(proto.overload ? { overload: proto.overload } : {}),
      inputs: proto.input,
      outputs: proto.output,
      attributes: proto.attribute,
      attributeDefaults: readAttributes(proto.attributeProto, `function '${proto.name}'`),
      nodes: proto.node.map(readNode),
      opsets: readOpsets(proto.opsetImport, file),
      ...(valueInfo.length > 0 ? { valueInfo } : {}),
      ...(proto.docString ? { doc: proto.docString } : {}),
      ...(proto.metadataProps.length > 0 ? { metadata: readPairs(proto.metadataProps) } : {}),
    };
  }
}

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
