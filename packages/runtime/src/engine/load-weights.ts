import type { EdgeModel, FileEntry, WeightSection } from '../format/index.ts';
import { readFile, sizeError, type PackageReader } from '../package/package-reader.ts';

/**
 * Streams the weights file into a program's memory, each section to its place: one copy, nothing held back. With
 * `verify` the file is read whole and hashed first.
 */
export async function loadWeights(
  reader: PackageReader,
  { file, sections }: EdgeModel['weights'],
  entry: FileEntry,
  memory: ArrayBufferLike,
  options: { readonly verify: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const place = placer(sections, new Uint8Array(memory));
  if (options.verify) return place(await readFile(reader, file, entry, options));
  let length = 0;
  for await (const chunk of reader.open(file, options.signal)) {
    length += chunk.length;
    if (length > entry.bytes) throw sizeError(file, entry.bytes, 'more');
    place(chunk);
  }
  if (length < entry.bytes) throw sizeError(file, entry.bytes, length);
}

/** Where the section's stored bytes go: packed ones to the end of the range that they will fill. */
export function storedAddress(section: WeightSection): number {
  return section.encoding === 'int4' ? section.address + section.count - section.bytes : section.address;
}

/** Takes a file's chunks in order and copies what the sections cover. */
function placer(sections: readonly WeightSection[], memory: Uint8Array): (chunk: Uint8Array) => void {
  let index = 0;
  let position = 0;
  return (chunk) => {
    const end = position + chunk.length;
    for (let section = sections[index]; section && section.offset < end; section = sections[++index]) {
      const from = Math.max(section.offset, position);
      const to = Math.min(section.offset + section.bytes, end);
      if (to > from) {
        const target = storedAddress(section) + from - section.offset;
        memory.set(chunk.subarray(from - position, to - position), target);
      }
      // The rest of this section comes with the next chunk.
      if (section.offset + section.bytes > end) break;
    }
    position = end;
  };
}
