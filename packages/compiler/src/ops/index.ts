export { readAttributes, type AttributeReader } from './attributes.ts';
export { constantTensor } from './creation.ts';
export { evaluateModel, evaluateNode, type EvaluateOptions } from './evaluate-model.ts';
export { EDGEWISE_DOMAIN } from './edgewise.ts';
export type { InferContext, NodeContext, EvaluateContext, OpDefinition } from './op-definition.ts';
export { findOperator, operators, opsetVersion } from './registry.ts';
export { inferTypes, type InferOptions, type InferredTypes } from './infer-types.ts';
export type { PartialValue } from './partial-value.ts';
