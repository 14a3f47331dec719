const SECTION_IMPORT = 2;
const KIND_MEMORY = 2;

/**
 * Where a module made by ModuleBuilder keeps the limits flag of its imported memory: the byte is 1 for a plain
 * memory and 3 for a shared one, and everything else in the module is the same. A loader that wants threads
 * sets it before compiling. -1 when the module imports no memory.
 *
 * How to find it: skip the 8 bytes of header, then sections (id, LEB128 size) up to the one with id 2; in it
 * skip the count, the two names (LEB128 length each) and the kind byte.
 */
export function memoryFlagOffset(bytes: Uint8Array): number {
  let at = 8;
  const leb = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  };
  while (at < bytes.length) {
    const id = bytes[at++];
    const size = leb();
    if (id !== SECTION_IMPORT) {
      at += size;
      continue;
    }
    leb();
    for (let name = 0; name < 2; name++) {
      const length = leb();
      at += length;
    }
    return bytes[at++] === KIND_MEMORY ? at : -1;
  }
  return -1;
}
