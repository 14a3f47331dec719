export { operatorName } from './edit.ts';
export type { Edit, GraphView, Rule } from './edit.ts';
export { GraphIndex } from './graph-index.ts';
export { rewriteGraph } from './rewrite-graph.ts';
export type { RewriteOptions, RewriteResult } from './rewrite-graph.ts';
export { runPasses } from './run-passes.ts';
export type { Evaluator, PassStep, RunPassesOptions, RunPassesResult } from './run-passes.ts';
export { defineTransform, LOSSLESS } from './transform.ts';
export type { Tolerance, Transform, TransformResult } from './transform.ts';
