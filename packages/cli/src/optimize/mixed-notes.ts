import type { MixedPrecision } from '@edgewise/compiler';

/** What the search for mixed precision did, for people. */
export function mixedNotes(mixed: MixedPrecision | undefined): readonly string[] {
  if (mixed === undefined) return [];
  const { base, refused, widened, layers, tried } = mixed;
  const fails = refused ? 'no longer follows the float model' : 'loses too much';
  const search = `${tried.join(', ')} of the ${layers} layers were tried, those first that cost the answers most for their size`;
  const does = refused ? 'does' : 'keeps within the allowed drop';
  if (widened === undefined)
    return [`Mixed precision: ${base} ${fails}, with more bits for some of its layers too (${search}).`];
  return [
    `Mixed precision: ${base} ${fails}; it ${does} with more bits for ${widened.length} layers (${search}): ${widened.join(', ')}. How many they are was chosen on the examples that are reported.`,
  ];
}
