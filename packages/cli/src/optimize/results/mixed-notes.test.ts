import { describe, expect, it } from 'vitest';
import { mixedNotes } from './mixed-notes.ts';

const MIXED = { base: 'w7a8-static', refused: false, layers: 38, tried: [1, 2] } as const;
const SEARCH = 'of 38, tried: 1, 2; those first that cost the answers most for their size';

describe('mixedNotes', () => {
  it('names the layers, and says that their number was chosen on the examples', () => {
    expect(mixedNotes({ ...MIXED, widened: ['a', 'b'] })).toEqual([
      `Mixed precision: w7a8-static loses too much; it keeps within the allowed drop with more bits for 2 layers (${SEARCH}): a, b. How many they are was chosen on the examples that are reported.`,
    ]);
    expect(mixedNotes({ ...MIXED, widened: ['a'] })[0]).toContain('with more bits for 1 layer (of 38');
  });

  it('says when no number was enough, and is silent where nothing was tried', () => {
    expect(mixedNotes({ ...MIXED, refused: true })).toEqual([
      `Mixed precision: w7a8-static no longer follows the float model, with more bits for some of its layers too (${SEARCH}).`,
    ]);
    expect(mixedNotes(undefined)).toEqual([]);
  });
});
