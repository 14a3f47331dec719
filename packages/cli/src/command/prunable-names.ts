import type { Prunable } from '@edgewise/compiler';

export type { Prunable };

/** What the compiler can prune, without loading the compiler for a help text. */
const NAMES: Readonly<Record<Prunable, true>> = {
  vocabulary: true,
  layers: true,
  heads: true,
  neurons: true,
};

export const PRUNABLE_NAMES: readonly Prunable[] = Object.keys(NAMES) as Prunable[];
