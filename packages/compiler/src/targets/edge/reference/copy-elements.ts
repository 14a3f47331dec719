import type { CopyLoop } from '../kernels/copy-elements.ts';

/** Copies the elements of nested loops (steps in elements) from x, from element `first` on, to y, bytes through a table. */
export function copyElements<T extends Float32Array | Uint8Array>(
  x: T,
  y: T,
  { loops, first }: { readonly loops: readonly CopyLoop[]; readonly first: number },
  table?: Uint8Array,
): void {
  visit(0, first, 0);

  function visit(depth: number, from: number, to: number): void {
    const loop = loops[depth];
    if (!loop) {
      y[to] = table ? table[x[from]!]! : x[from]!;
      return;
    }
    for (let index = 0; index < loop.extent; index++)
      visit(depth + 1, from + index * loop.from, to + index * loop.to);
  }
}
