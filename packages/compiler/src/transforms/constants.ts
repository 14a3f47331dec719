import {
  denseTensor,
  float32Tensor,
  int64Tensor,
  isFloat32,
  typedData,
  type DataType,
  type DenseTensor,
  type Float32Tensor,
} from '../ir/index.ts';
import type { GraphView } from '../rewrite/index.ts';

/** The constant float32 tensor behind a value. */
export function float32Constant(graph: GraphView, value: string | undefined): Float32Tensor | undefined {
  const tensor = value === undefined || value === '' ? undefined : graph.constant(value);
  return tensor !== undefined && isFloat32(tensor) ? tensor : undefined;
}

/** The number behind a value that is a constant with exactly one element. */
export function numberConstant(graph: GraphView, value: string | undefined): number | undefined {
  return numbersConstant(graph, value, 1)?.[0];
}

/** The numbers behind a constant of at most `limit` elements. */
export function numbersConstant(
  graph: GraphView,
  value: string | undefined,
  limit: number,
): number[] | undefined {
  const tensor = value === undefined || value === '' ? undefined : graph.constant(value);
  if (tensor?.kind !== 'dense' || tensor.dtype === 'float16' || tensor.dtype === 'bfloat16') return undefined;
  const data = typedData(tensor);
  return data.length === 0 || data.length > limit ? undefined : Array.from(data, Number);
}

/** The constant as a row [width]: given as [width], [1, …, width] or one number for all. */
export function rowConstant(
  graph: GraphView,
  value: string | undefined,
  width: number,
): Float32Tensor | undefined {
  const tensor = float32Constant(graph, value);
  if (tensor === undefined) return undefined;
  const count = tensor.dims.reduce((product, dim) => product * dim, 1);
  if (count === 1 && width !== 1)
    return asFloat32(float32Tensor([width], new Float32Array(width).fill(typedData(tensor)[0] ?? 0)));
  if (count !== width || (tensor.dims.at(-1) ?? 1) !== width) return undefined;
  return tensor.dims.length === 1 ? tensor : { ...tensor, dims: [width] };
}

/** Float32 numbers as a tensor, without copying. */
export function asFloat32(tensor: DenseTensor): Float32Tensor {
  if (!isFloat32(tensor)) throw new TypeError(`expected float32, got ${tensor.dtype}`);
  return tensor;
}

/** Numbers as a tensor of one of the types that shape arithmetic has; undefined for others. */
export function fromNumbersAs(
  dtype: DataType,
  dims: readonly number[],
  numbers: readonly number[],
): DenseTensor | undefined {
  if (dtype === 'int64') return int64Tensor(dims, numbers);
  if (dtype === 'int32') return denseTensor('int32', dims, Int32Array.from(numbers));
  if (dtype === 'float32') return float32Tensor(dims, numbers);
  return dtype === 'bool' ? denseTensor('bool', dims, Uint8Array.from(numbers)) : undefined;
}
