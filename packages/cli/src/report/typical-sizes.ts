/** Sequence length that costs are counted for: about a sentence. */
export const TYPICAL_TOKENS = 32;

/** Side of an image that costs are counted for: what most classifiers take. */
export const TYPICAL_PIXELS = 224;
