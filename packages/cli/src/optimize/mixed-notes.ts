import type { MixedPrecision } from '@edgewise/compiler';

/** What the search for mixed precision did, for people. */
export function mixedNotes(mixed: MixedPrecision | undefined): readonly string[] {
  if (mixed === undefined) return [];
  const { base, widened, layers, tried } = mixed;
  const search = `${tried.join(', ')} of the ${layers} layers were tried, those first that cost the answers most for their size`;
  if (widened === undefined)
    return [
      `Mixed precision: ${base} loses too much, with more bits for some of its layers too (${search}).`,
    ];
  return [
    `Mixed precision: ${base} loses too much; it keeps within the allowed drop with more bits for ${widened.length} layers (${search}): ${widened.join(', ')}.`,
  ];
}
