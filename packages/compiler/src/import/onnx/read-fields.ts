import {
  create,
  fromBinary,
  mergeFromBinary,
  type DescField,
  type DescMessage,
  type MessageShape,
} from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { flattenChunks, joinChunks } from './chunks.ts';

// All functions here take the bytes of a message that `checkWire` accepted; what they return are views on them.

const DECODING = { readUnknownFields: false };

/** A message with everything in it. */
export function decode<Schema extends DescMessage>(schema: Schema, bytes: Uint8Array): MessageShape<Schema> {
  return fromBinary(schema, bytes, DECODING);
}

/**
 * A message without the fields `apart`, which `readEach` and `fieldBytes` give one at a time: decoded messages take
 * several times the memory of what becomes of them. The rest is merged from the spans between those fields, by
 * protobuf's rule that messages put one after the other are one message.
 */
export function decodeRest<Schema extends DescMessage>(
  schema: Schema,
  bytes: Uint8Array,
  apart: readonly DescField[],
): MessageShape<Schema> {
  const message = create(schema);
  const reader = new BinaryReader(bytes);
  let from = 0;
  const mergeUntil = (end: number): void => {
    if (end > from) mergeFromBinary(schema, message, bytes.subarray(from, end), DECODING);
  };
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [number, wireType] = reader.tag();
    skipContent(reader, wireType);
    if (!apart.some((field) => field.number === number)) continue;
    mergeUntil(start);
    from = reader.pos;
  }
  mergeUntil(reader.len);
  return message;
}

/** What `read` makes of each occurrence of a repeated message field, given its bytes and index. */
export function readEach<T>(
  bytes: Uint8Array,
  field: DescField,
  read: (bytes: Uint8Array, index: number) => T,
): T[] {
  const items: T[] = [];
  for (const occurrence of occurrences(bytes, field)) items.push(read(occurrence, items.length));
  return items;
}

/** The bytes of a singular message field, joined where it occurs more than once; undefined where it does not. */
export function fieldBytes(bytes: Uint8Array, field: DescField): Uint8Array | undefined {
  const [first, ...others] = occurrences(bytes, field);
  return first === undefined || others.length === 0 ? first : flattenChunks(joinChunks([first, ...others]));
}

function* occurrences(bytes: Uint8Array, field: DescField): Generator<Uint8Array> {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (number === field.number) yield reader.bytes();
    else skipContent(reader, wireType);
  }
}

function skipContent(reader: BinaryReader, wireType: WireType): void {
  if (wireType !== WireType.LengthDelimited) {
    reader.skip(wireType);
    return;
  }
  const length = reader.uint32();
  reader.pos += length;
}
