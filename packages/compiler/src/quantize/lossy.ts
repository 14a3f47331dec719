import type { Tolerance } from '../rewrite/index.ts';

/** Quantization changes outputs by design: any finite difference passes, accuracy is what `evaluate/` measures. */
export const LOSSY: Tolerance = { absolute: Number.MAX_VALUE, relative: 0 };
