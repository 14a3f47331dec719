import { CompilerError } from '../diagnostics/index.ts';
import type { MemoryLimits } from './module-builder.ts';

/** Bytes of a weight to work on at a time: enough that copying goes in long runs, little to hold. */
export const STRIP_BYTES: number = 4 * 1024 * 1024;

const PAGE_BYTES = 65_536;
const LIMITS: MemoryLimits = { min: 1, max: 65_536 };

/**
 * Kernels that the compiler itself runs, with a memory as scratch. It is made on first use and grows to the largest piece
 * of work; what lay in it before is then moved, so views on `buffer` last until the next `reserve`.
 */
export class ScratchMachine<Kernels> {
  readonly #write: (memory: MemoryLimits) => Uint8Array<ArrayBuffer>;
  #made: { readonly memory: WebAssembly.Memory; readonly kernels: Kernels } | undefined;

  /** `write` gives the bytes of a module that imports `env.memory` and exports the kernels. */
  constructor(write: (memory: MemoryLimits) => Uint8Array<ArrayBuffer>) {
    this.#write = write;
  }

  /**
   * Kernels, and a buffer of at least so many bytes.
   * @throws CompilerError `too-large` where there is not that much memory.
   */
  reserve(bytes: number): { readonly kernels: Kernels; readonly buffer: ArrayBuffer } {
    this.#made ??= this.#make();
    const { memory, kernels } = this.#made;
    const pages = Math.ceil((bytes - memory.buffer.byteLength) / PAGE_BYTES);
    if (pages > 0) grow(memory, pages, bytes);
    return { kernels, buffer: memory.buffer };
  }

  #make(): { memory: WebAssembly.Memory; kernels: Kernels } {
    const memory = new WebAssembly.Memory({ initial: LIMITS.min, maximum: LIMITS.max });
    const module = new WebAssembly.Module(this.#write(LIMITS));
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    return { memory, kernels: exports as unknown as Kernels };
  }
}

function grow(memory: WebAssembly.Memory, pages: number, bytes: number): void {
  try {
    memory.grow(pages);
  } catch (cause) {
    throw new CompilerError('too-large', `a weight of this model takes ${bytes} bytes of scratch`, { cause });
  }
}
