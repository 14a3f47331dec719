/** Sequence length that costs are counted for: about a sentence. */
export const TYPICAL_TOKENS = 32;
