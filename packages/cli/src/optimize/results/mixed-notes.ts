import type { MixedPrecision } from '@edgewise/compiler';

/** What the search for mixed precision did, for people. */
export function mixedNotes(mixed: MixedPrecision | undefined): readonly string[] {
  if (mixed === undefined) return [];
  const { base, refused, widened, layers, tried } = mixed;
  const fails = refused ? 'no longer follows the float model' : 'loses too much';
  const does = refused ? 'does' : 'keeps within the allowed drop';
  const search = `of ${layers}, tried: ${tried.join(', ')}; those first that cost the answers most for their size`;
  if (widened === undefined)
    return [`Mixed precision: ${base} ${fails}, with more bits for some of its layers too (${search}).`];
  const count = widened.length === 1 ? '1 layer' : `${widened.length} layers`;
  return [
    `Mixed precision: ${base} ${fails}; it ${does} with more bits for ${count} (${search}): ${widened.join(', ')}. How many they are was chosen on the examples that are reported.`,
  ];
}
