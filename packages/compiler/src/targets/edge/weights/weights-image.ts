import type { WeightSection } from '@edgewise/runtime/format';
import { roundUp } from '../program/value.ts';

const ALIGNMENT = 64;

/** Writes a tensor's bytes into its place in the file, which holds zeros. */
export type Fill = (place: Uint8Array<ArrayBuffer>) => void;

interface Part {
  readonly offset: number;
  readonly bytes: number;
  readonly fill: Fill;
}

/**
 * The weights file and where it goes in the program's memory. Everything is aligned to 64 bytes in both. Tensors that
 * follow each other are one section, so that a manifest has few. Tensors are only made when the file is: each is written
 * into its place, and none is held twice.
 */
export class WeightsImage {
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
    return this.addFilled(data.byteLength, copyOf(data));
  }

  /** The same for bytes that are made later. Fills run in the order they were added. */
  addFilled(bytes: number, fill: Fill): number {
    const address = this.#memoryEnd;
    const last = this.#sections.at(-1);
    if (last?.encoding === 'raw' && last.address + (this.#fileEnd - last.offset) === address) {
      this.#sections[this.#sections.length - 1] = { ...last, bytes: this.#fileEnd + bytes - last.offset };
    } else {
      this.#sections.push({ encoding: 'raw', offset: this.#fileEnd, bytes, address });
    }
    this.#append(bytes, bytes, fill);
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
    this.#append(packed.length, count, copyOf(packed));
    return address;
  }

  get sections(): readonly WeightSection[] {
    return this.#sections;
  }

  /** First address behind everything. */
  get memoryEnd(): number {
    return this.#memoryEnd;
  }

  /** The file. */
  file(): Uint8Array<ArrayBuffer> {
    const last = this.#parts.at(-1);
    const file = new Uint8Array(last ? last.offset + last.bytes : 0);
    for (const { offset, bytes, fill } of this.#parts) fill(file.subarray(offset, offset + bytes));
    return file;
  }

  #append(bytes: number, memoryBytes: number, fill: Fill): void {
    this.#parts.push({ offset: this.#fileEnd, bytes, fill });
    this.#fileEnd += roundUp(bytes, ALIGNMENT);
    this.#memoryEnd += roundUp(memoryBytes, ALIGNMENT);
  }
}

function copyOf(data: ArrayBufferView): Fill {
  return (place) => place.set(new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength));
}
