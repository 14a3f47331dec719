export { copyRows, type RowCopy } from './copy-rows.ts';
export { FunctionBuilder, type Label } from './function-builder.ts';
export {
  atomic,
  f32,
  f32x4,
  f64x2,
  i16x8,
  i32,
  i32x4,
  i64,
  i64x2,
  i8x16,
  select,
  v128,
} from './instructions.ts';
export { memoryFlagOffset } from './memory-flag.ts';
export {
  ModuleBuilder,
  type FunctionOptions,
  type MemoryLimits,
  type ParamLocals,
} from './module-builder.ts';
export { ScratchMachine, STRIP_BYTES } from './scratch-machine.ts';
export { interleave, transposeVectors } from './transpose-vectors.ts';
export type {
  Arguments,
  Expr,
  FunctionRef,
  Global,
  Local,
  Operand,
  Params,
  Statement,
  ValueType,
} from './types.ts';
