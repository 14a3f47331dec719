/** Bytes in pieces: larger pieces hold smaller ones without copying them, until `flatten`. */
export type Code = number | Uint8Array | readonly Code[];

/** The bytes of all pieces in order. */
export function flatten(code: Code): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(byteCount(code));
  let at = 0;
  const write = (piece: Code): void => {
    if (typeof piece === 'number') bytes[at++] = piece;
    else if (piece instanceof Uint8Array) {
      bytes.set(piece, at);
      at += piece.length;
    } else for (const inner of piece) write(inner);
  };
  write(code);
  return bytes;
}

function byteCount(code: Code): number {
  if (typeof code === 'number') return 1;
  if (code instanceof Uint8Array) return code.length;
  let count = 0;
  for (const inner of code) count += byteCount(inner);
  return count;
}

/** Unsigned LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return bytes;
}

/** Signed LEB128 of a 32-bit number. */
export function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const done = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    bytes.push(done ? low : low | 0x80);
    if (done) return bytes;
  }
}

/** A name or any text: its length, then UTF-8. Names here are ASCII. */
export function text(value: string): number[] {
  const bytes = Array.from(value, (character) => character.charCodeAt(0));
  return [...unsigned(bytes.length), ...bytes];
}

/** Little-endian bytes of a float32. */
export function float32(value: number): number[] {
  return [...new Uint8Array(new Float32Array([value]).buffer)];
}

/** Content behind its size in bytes. */
export function sized(content: Code): Code {
  const bytes = flatten(content);
  return [unsigned(bytes.length), bytes];
}
