import type { MemoryLayout } from './manifest.ts';

export const PAGE_BYTES = 65_536;

/** What a program's memory needs for so many threads. */
export function memoryBytes(memory: MemoryLayout, threads: number): number {
  return memory.bytes + (threads - 1) * memory.perThreadBytes;
}

/** The same in WebAssembly pages. A program's memory import declares at most those for one thread as its minimum. */
export function memoryPages(memory: MemoryLayout, threads: number): number {
  return Math.ceil(memoryBytes(memory, threads) / PAGE_BYTES);
}
