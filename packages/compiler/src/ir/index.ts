export { cloneGraph, cloneModel } from './clone.ts';
export { byteLengthOf, DATA_TYPE_BITS, DATA_TYPE_CODES, dataTypeFromCode } from './data-type.ts';
export type { DataType } from './data-type.ts';
export {
  addDims,
  boundDim,
  dimFromParam,
  dimSymbols,
  dimToParam,
  divDims,
  evaluateDim,
  mulDims,
  parseDim,
  productDim,
  subDims,
  substituteDim,
  symbolDim,
} from './dim.ts';
export type { Dim, DimRange, Shape } from './dim.ts';
export type {
  Attribute,
  Graph,
  Model,
  ModelFunction,
  Node,
  QuantizationAnnotation,
  TensorType,
  ValueInfo,
  ValueType,
} from './model.ts';
export { parseGraph, parseModel } from './parse.ts';
export type { ParseOptions } from './parse.ts';
export { randomTensor } from './placeholder.ts';
export { printGraph, printModel, printNode, printType } from './print.ts';
export type { PrintOptions } from './print.ts';
export { validateModel } from './validate.ts';
export { denseTensor, elementCount, float32Tensor, int64Tensor, isFloat32, typedData } from './tensor.ts';
export type {
  ArrayFor,
  DenseTensor,
  Float32Tensor,
  SparseTensor,
  StringTensor,
  Tensor,
  TypedArray,
} from './tensor.ts';
