import { ScalarType, type DescField, type DescMessage } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { CompilerError } from '../../diagnostics/index.ts';
import {
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  StringStringEntryProtoSchema,
  TensorProtoSchema,
} from './proto/onnx_pb.ts';

/** Protobuf cannot address more; larger models keep their weights in external data. */
export const FILE_BYTES_LIMIT: number = 2 ** 31 - 1;

/** Messages inside each other. A subgraph takes three levels, so this is about 30 subgraphs deep. */
const DEPTH_LIMIT = 100;

/**
 * What may be built of a file beside its weights, in estimated bytes of memory: a node of five bytes becomes objects of
 * 200. The free part is for structure without weights: the largest exports of language models have about 200,000
 * messages, 11 bytes or more each.
 */
const MEMORY_FREE = 40e6;
const MEMORY_PER_BYTE = 3;
/** What a JavaScript heap surely has. */
const MEMORY_LIMIT = 500e6;

/** Measured on V8, lists and maps included. */
const MESSAGE_MEMORY = 200;
const GRAPH_MEMORY = 700;
/** Of a list's entries: views of bytes, and names or numbers. */
const BYTES_ENTRY_MEMORY = 125;
const ENTRY_MEMORY = 40;

/** The longest number of 64 bits. */
const VARINT_BYTES = 10;

const OP_TYPE: DescField = NodeProtoSchema.field.opType;

interface State {
  readonly reader: BinaryReader;
  readonly bytes: Uint8Array;
  readonly memoryLimit: number;
  /** Of what was seen so far. */
  memory: number;
}

/**
 * Walks an ONNX file without building anything and proves what the decoder takes for granted: every length stays inside
 * its parent, wire types match the schema, enums and names are valid, and what will be built is bounded.
 * @throws CompilerError `bad-file` or `too-large`, with the byte offset.
 */
export function checkWire(bytes: Uint8Array): void {
  if (bytes.length > FILE_BYTES_LIMIT) {
    throw new CompilerError('too-large', `the model file has ${bytes.length} bytes; protobuf ends at 2 GiB`, {
      hint: 'save the model with external data',
    });
  }
  const memoryLimit = Math.min(MEMORY_LIMIT, MEMORY_FREE + bytes.length * MEMORY_PER_BYTE);
  const state: State = { reader: new BinaryReader(bytes), bytes, memoryLimit, memory: 0 };
  checkMessage(state, ModelProtoSchema, bytes.length, 1);
}

function checkMessage(state: State, schema: DescMessage, end: number, depth: number): void {
  const { reader } = state;
  charge(state, schema === GraphProtoSchema ? GRAPH_MEMORY : MESSAGE_MEMORY);
  if (depth > DEPTH_LIMIT) throw new CompilerError('too-large', `nested deeper than ${DEPTH_LIMIT} messages`);
  const fields = fieldsOf(schema);
  let hasOpType = false;
  while (reader.pos < end) {
    const start = reader.pos;
    const [number, wireType] = reader.tag();
    const field = fields.get(number);
    if (field === undefined) skipUnknown(state, wireType, schema, start);
    else checkField(state, field, wireType, end, depth);
    if (reader.pos > end) throw malformed(`${schema.name} ends inside a field`, start);
    if (field === OP_TYPE) hasOpType = reader.pos - start > 2; // more than tag and length
  }
  if (schema === NodeProtoSchema && !hasOpType) throw malformed('a node has no op_type', end);
}

function skipUnknown({ reader }: State, wireType: WireType, schema: DescMessage, start: number): void {
  if (wireType === WireType.StartGroup || wireType === WireType.EndGroup) {
    throw malformed(`a protobuf group in ${schema.name}`, start);
  }
  reader.skip(wireType);
}

function checkField(state: State, field: DescField, wireType: WireType, end: number, depth: number): void {
  const { reader } = state;
  const start = reader.pos;
  const expected = wireTypeOf(field);
  if (wireType === WireType.LengthDelimited) {
    const length = reader.uint32();
    if (reader.pos + length > end) {
      const cutOff =
        end === state.bytes.length ? 'the file ends too early; was the download complete?' : undefined;
      throw malformed(`${label(field)} is longer than the message it is in`, start, cutOff);
    }
    const stop = reader.pos + length;
    if (field.message !== undefined) checkMessage(state, field.message, stop, depth + 1);
    else if (expected === wireType) checkText(state, field, stop);
    else if (field.fieldKind === 'list') countPacked(state, field, expected, stop);
    else throw malformed(`${label(field)} has a wrong wire type`, start);
    reader.pos = stop;
    return;
  }
  if (wireType !== expected) throw wrongWireType(field, start);
  if (field.fieldKind === 'list') charge(state, ENTRY_MEMORY);
  if (field.fieldKind === 'enum') checkEnum(field, reader.int32(), start);
  else reader.skip(wireType);
  if (wireType === WireType.Varint && reader.pos - start > VARINT_BYTES) throw endless(field, start);
}

function wireTypeOf(field: DescField): WireType {
  if (field.message !== undefined) return WireType.LengthDelimited;
  switch (field.scalar) {
    case ScalarType.FLOAT:
      return WireType.Bit32;
    case ScalarType.DOUBLE:
      return WireType.Bit64;
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return WireType.LengthDelimited;
    default:
      return WireType.Varint;
  }
}

function checkEnum(field: DescField & { fieldKind: 'enum' }, value: number, start: number): void {
  if (field.enum.values.some((known) => known.number === value)) return;
  throw malformed(`${label(field)} has the unknown value ${value}`, start);
}

/** Names must be valid UTF-8, or two of them could become equal; documentation may be anything. */
function checkText(state: State, field: DescField, stop: number): void {
  const isText = field.scalar === ScalarType.STRING;
  if (field.fieldKind === 'list') charge(state, isText ? ENTRY_MEMORY : BYTES_ENTRY_MEMORY);
  if (!isText || field.parent === StringStringEntryProtoSchema || field.name === 'doc_string') return;
  const { bytes, reader } = state;
  for (let i = reader.pos; i < stop; i++) {
    if ((bytes[i] ?? 0) < 0x80) continue;
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(reader.pos, stop));
      return;
    } catch {
      throw malformed(`${label(field)} is not UTF-8`, reader.pos);
    }
  }
}

function countPacked(state: State, field: DescField, wireType: WireType, stop: number): void {
  const { bytes, reader } = state;
  if (wireType === WireType.Bit32) {
    if ((stop - reader.pos) % 4 !== 0) throw malformed(`${label(field)} ends inside a number`, reader.pos);
    charge(state, ((stop - reader.pos) / 4) * ENTRY_MEMORY);
    return;
  }
  let count = 0;
  let length = 0;
  for (let i = reader.pos; i < stop; i++) {
    length = (bytes[i] ?? 0) < 0x80 ? 0 : length + 1;
    if (length === 0) count += 1;
    if (length === VARINT_BYTES) throw endless(field, i);
  }
  if (length > 0) throw malformed(`${label(field)} ends inside a number`, stop);
  charge(state, count * ENTRY_MEMORY);
}

function endless(field: DescField, offset: number): CompilerError {
  return malformed(`${label(field)} has a number of more than ${VARINT_BYTES} bytes`, offset);
}

function charge(state: State, memory: number): void {
  state.memory += memory;
  if (state.memory <= state.memoryLimit) return;
  const limit = Math.floor(state.memoryLimit / 1e6);
  throw new CompilerError(
    'too-large',
    `its nodes, attributes and lists would take more than ${limit} MB of memory, weights aside`,
  );
}

const fieldMaps = new Map<DescMessage, ReadonlyMap<number, DescField>>();

function fieldsOf(schema: DescMessage): ReadonlyMap<number, DescField> {
  let fields = fieldMaps.get(schema);
  if (fields === undefined) {
    fields = new Map(schema.fields.map((field) => [field.number, field]));
    fieldMaps.set(schema, fields);
  }
  return fields;
}

function label(field: DescField): string {
  return `${field.parent.name}.${field.name}`;
}

function wrongWireType(field: DescField, start: number): CompilerError {
  const unpacked = field.parent === TensorProtoSchema && field.name.endsWith('_data');
  return malformed(`${label(field)} ${unpacked ? 'is not packed' : 'has a wrong wire type'}`, start);
}

function malformed(problem: string, offset: number, hint?: string): CompilerError {
  return new CompilerError('bad-file', `${problem} (byte ${offset})`, hint === undefined ? {} : { hint });
}
