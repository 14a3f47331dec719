export * from './diagnostics/index.ts';
export * from './evaluate/index.ts';
export * from './import/onnx/index.ts';
export * from './ir/index.ts';
export { createEvaluator, evaluateModel, inferTypes, readAttributes } from './ops/index.ts';
export type { InferOptions, InferredTypes } from './ops/index.ts';
export * from './prune/index.ts';
export * from './quantize/index.ts';
export * from './report/index.ts';
export * from './rewrite/index.ts';
export * from './search/index.ts';
export * from './targets/index.ts';
export * from './transforms/index.ts';

/** Version of Edgewise; every package carries the same one. */
export const VERSION = '0.1.0';
