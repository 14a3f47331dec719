const SECTION_IMPORT = 2;
const KIND_MEMORY = 2;
const HAS_MAXIMUM = 1;
const HAS_MAXIMUM_AND_SHARED = 3;

/**
 * Turns a program that imports a plain memory into one that imports a shared memory, in place: the limits flag of its
 * first import. Returns false, and changes nothing, when there is no such import.
 */
export function shareMemory(program: Uint8Array): boolean {
  let at = 8;
  const byte = (): number => program[at++] ?? 0;
  const leb = (): number => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const next = byte();
      value += (next & 0x7f) * 2 ** shift;
      if (next < 0x80) break;
    }
    return value;
  };
  const skip = (length: number): void => void (at += length);

  while (at < program.length) {
    const id = byte();
    const size = leb();
    if (id !== SECTION_IMPORT) {
      skip(size);
      continue;
    }
    leb();
    skip(leb());
    skip(leb());
    if (byte() !== KIND_MEMORY || program[at] !== HAS_MAXIMUM) return false;
    program[at] = HAS_MAXIMUM_AND_SHARED;
    return true;
  }
  return false;
}
