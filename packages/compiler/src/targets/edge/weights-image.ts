import type { WeightSection } from '@edgewise/runtime/format';
import { roundUp } from './plan-memory.ts';

const ALIGNMENT = 64;

/** Rows of 4-bit multipliers' group: one multiplier per so many k of a column (docs/architecture.md, section 5). */
export interface Int4Arguments {
  readonly count: number;
  readonly expand: readonly number[];
}

/**
 * The weights file and where it goes in the program's memory. Everything is aligned to 64 bytes in both. Tensors that
 * follow each other are one section, so that a manifest has few.
 */
export class WeightsImage {
  readonly #chunks: Uint8Array[] = [];
  readonly #sections: WeightSection[] = [];
  #fileEnd = 0;
  #memoryEnd: number;

  /** `start`: the first address to use. */
  constructor(start: number) {
    this.#memoryEnd = roundUp(start, ALIGNMENT);
  }

  /** Adds bytes that are used as they are; returns their address. */
  add(data: ArrayBufferView): number {
    const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
    const address = this.#memoryEnd;
    const last = this.#sections.at(-1);
    if (last?.encoding === 'raw' && last.address + (this.#fileEnd - last.offset) === address) {
      this.#sections[this.#sections.length - 1] = {
        ...last,
        bytes: this.#fileEnd + bytes.length - last.offset,
      };
    } else {
      this.#sections.push({ encoding: 'raw', offset: this.#fileEnd, bytes: bytes.length, address });
    }
    this.#append(bytes, bytes.length);
    return address;
  }

  /** Adds `count` 4-bit values, two to a byte, that take a byte each in memory; returns their address there. */
  addInt4(packed: Uint8Array, count: number, expandArguments: readonly number[]): number {
    const address = this.#memoryEnd;
    this.#sections.push({
      encoding: 'int4',
      offset: this.#fileEnd,
      bytes: packed.length,
      address,
      count,
      arguments: expandArguments,
    });
    this.#append(packed, count);
    return address;
  }

  get sections(): readonly WeightSection[] {
    return this.#sections;
  }

  /** First address behind everything. */
  get memoryEnd(): number {
    return this.#memoryEnd;
  }

  /** The file. Chunks are written once, into their place. */
  file(): Uint8Array {
    const last = this.#sections.at(-1);
    const file = new Uint8Array(last ? last.offset + last.bytes : 0);
    let offset = 0;
    for (const chunk of this.#chunks) {
      file.set(chunk, offset);
      offset += roundUp(chunk.length, ALIGNMENT);
    }
    return file;
  }

  #append(bytes: Uint8Array, memoryBytes: number): void {
    this.#chunks.push(bytes);
    this.#fileEnd += roundUp(bytes.length, ALIGNMENT);
    this.#memoryEnd += roundUp(memoryBytes, ALIGNMENT);
  }
}
