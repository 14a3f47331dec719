import type { FileInPieces, WeightSection } from '@edgewise/runtime/format';
import { roundUp } from '../program/value.ts';

const ALIGNMENT = 64;

/** Writes a tensor's bytes into its place in the file, which holds zeros. */
export type Fill = (place: Uint8Array<ArrayBuffer>) => void;

interface Part {
  readonly offset: number;
  readonly bytes: number;
  readonly content: Uint8Array | Fill;
}

/**
 * The weights file and where it goes in the program's memory. Everything is aligned to 64 bytes in both. Tensors that
 * follow each other are one section, so that a manifest has few. Tensors are only made when the file is read: each is written
 * into its place, and none is held twice.
 */
export class WeightsImage implements FileInPieces {
  readonly #parts: Part[] = [];
  readonly #sections: WeightSection[] = [];
  #fileEnd = 0;
  #memoryEnd: number;

  /** `start`: the first address to use. */
  constructor(start: number) {
    this.#memoryEnd = roundUp(start, ALIGNMENT);
  }

  /** Adds bytes that are used as they are; returns their address. */
  add(data: ArrayBufferView): number {
    return this.#addRaw(data.byteLength, bytesOf(data));
  }

  /** The same for bytes that are made later. Fills run in the order they were added. */
  addFilled(bytes: number, fill: Fill): number {
    return this.#addRaw(bytes, fill);
  }

  #addRaw(bytes: number, content: Part['content']): number {
    const address = this.#memoryEnd;
    const last = this.#sections.at(-1);
    if (last?.encoding === 'raw' && last.address + (this.#fileEnd - last.offset) === address) {
      this.#sections[this.#sections.length - 1] = { ...last, bytes: this.#fileEnd + bytes - last.offset };
    } else {
      this.#sections.push({ encoding: 'raw', offset: this.#fileEnd, bytes, address });
    }
    this.#append(bytes, bytes, content);
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
    this.#append(packed.length, count, packed);
    return address;
  }

  get sections(): readonly WeightSection[] {
    return this.#sections;
  }

  /** First address behind everything. */
  get memoryEnd(): number {
    return this.#memoryEnd;
  }

  /** Bytes of the file. */
  get length(): number {
    const last = this.#parts.at(-1);
    return last ? last.offset + last.bytes : 0;
  }

  /** The file. */
  file(): Uint8Array<ArrayBuffer> {
    const file = new Uint8Array(this.length);
    for (const { offset, bytes, content } of this.#parts) {
      if (typeof content === 'function') content(file.subarray(offset, offset + bytes));
      else file.set(content, offset);
    }
    return file;
  }

  /** The file part by part: beyond what was added as it is, memory for the largest part. */
  *pieces(): Generator<Uint8Array> {
    const filled = this.#parts.filter(({ content }) => typeof content === 'function');
    const buffer = new Uint8Array(filled.reduce((most, { bytes }) => Math.max(most, bytes), ALIGNMENT));
    let end = 0;
    for (const { offset, bytes, content } of this.#parts) {
      yield buffer.subarray(0, offset - end).fill(0);
      if (typeof content === 'function') {
        const place = buffer.subarray(0, bytes).fill(0);
        content(place);
        yield place;
      } else yield content;
      end = offset + bytes;
    }
  }

  #append(bytes: number, memoryBytes: number, content: Part['content']): void {
    this.#parts.push({ offset: this.#fileEnd, bytes, content });
    this.#fileEnd += roundUp(bytes, ALIGNMENT);
    this.#memoryEnd += roundUp(memoryBytes, ALIGNMENT);
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}
