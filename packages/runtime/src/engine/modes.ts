/** Which of a package's two programs runs. */
export type Rung = 'relaxed' | 'simd';

/** How integer dot products are computed; the index is the code that a program's `init` takes (architecture.md 6). */
export const MODES = ['i16', 'u8', 's8', 'pairs'] as const;
export type Mode = (typeof MODES)[number];
