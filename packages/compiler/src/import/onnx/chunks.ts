import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** Encoded bytes in pieces, so that weights are copied once, into the finished file. */
export interface Chunks {
  readonly byteLength: number;
  readonly parts: readonly Uint8Array[];
}

/** One piece after the other. Protobuf messages may be put together like this from their fields. */
export function joinChunks(items: readonly (Chunks | Uint8Array)[]): Chunks {
  const parts: Uint8Array[] = [];
  let byteLength = 0;
  for (const item of items) {
    byteLength += item.byteLength;
    if (item instanceof Uint8Array) parts.push(item);
    else for (const part of item.parts) parts.push(part);
  }
  return { byteLength, parts };
}

/** A length-delimited field: a message, string or bytes. */
export function lengthDelimited(fieldNumber: number, content: Chunks | Uint8Array): Chunks {
  const head = new BinaryWriter()
    .tag(fieldNumber, WireType.LengthDelimited)
    .uint32(content.byteLength)
    .finish();
  return joinChunks([head, content]);
}

export function flattenChunks({ byteLength, parts }: Chunks): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}
