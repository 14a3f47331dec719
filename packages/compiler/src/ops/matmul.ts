import type { Dim, Shape, TensorType } from '../ir/index.ts';
import { elementCount } from '../ir/index.ts';
import { mapBinary } from './elementwise.ts';
import { transpose } from './indexing.ts';
import { broadcastShapes, dtypeOf, firstDtype, shapeOf, tensorType } from './inference.ts';
import { matmul } from './matrix-multiply.ts';
import type { NdArray } from './nd-array.ts';
import type { CostContext, InferContext, OpDefinition } from './op-definition.ts';

/** The shape of a matrix product; undefined when a rank is unknown. */
export function matmulShape(
  context: InferContext,
  a: Shape | undefined,
  b: Shape | undefined,
): Shape | undefined {
  if (a === undefined || b === undefined || a.length === 0 || b.length === 0) return undefined;
  const left: Shape = a.length === 1 ? [1, ...a] : a;
  const right: Shape = b.length === 1 ? [...b, 1] : b;
  const [inner, other] = [left.at(-1), right.at(-2)];
  if (typeof inner === 'number' && typeof other === 'number' && inner !== other) {
    context.problem(`the inner dims ${inner} and ${other} differ`);
  }
  const batch = broadcastShapes(context, [left.slice(0, -2), right.slice(0, -2)]) as Shape;
  const rows: Dim[] = a.length === 1 ? [] : [left.at(-2) ?? null];
  const columns: Dim[] = b.length === 1 ? [] : [right.at(-1) ?? null];
  return [...batch, ...rows, ...columns];
}

/** Output elements times the inner extent, which is the last dim of input 0. */
export function matmulMacs({ inputs, outputs }: CostContext): number {
  const inner = inputs[0]?.dims.at(-1) ?? 0;
  return elementCount(outputs[0]?.dims ?? [0]) * inner;
}

const matMul: OpDefinition = {
  domain: '',
  opType: 'MatMul',
  since: 1,
  inputs: [2, 2],
  infer: (context) => [
    tensorType(firstDtype(context), matmulShape(context, shapeOf(context, 0), shapeOf(context, 1))),
  ],
  evaluate: (context) => [matmul(context.input(0), context.input(1))],
  macs: matmulMacs,
};

const add = {
  float: (a: number, b: number): number => a + b,
  bigint: (a: bigint, b: bigint): bigint => a + b,
};
const scaled = (array: NdArray, factor: number): NdArray =>
  factor === 1 ? array : { ...array, data: (array.data as Float32Array).map((x) => x * factor) };

const gemm: OpDefinition = {
  domain: '',
  opType: 'Gemm',
  since: 7,
  inputs: [2, 3],
  infer(context): readonly (TensorType | undefined)[] {
    const [a, b] = [shapeOf(context, 0), shapeOf(context, 1)];
    const rows = a?.[context.attributes.int('transA', 0) ? 1 : 0] ?? null;
    const columns = b?.[context.attributes.int('transB', 0) ? 0 : 1] ?? null;
    return [tensorType(dtypeOf(context, 0) ?? dtypeOf(context, 1), [rows, columns])];
  },
  evaluate(context) {
    const { attributes } = context;
    const a = attributes.int('transA', 0) ? transpose(context.input(0), [1, 0]) : context.input(0);
    const b = attributes.int('transB', 0) ? transpose(context.input(1), [1, 0]) : context.input(1);
    const product = scaled(matmul(a, b), attributes.float('alpha', 1));
    const bias = context.inputs[2];
    return [bias ? mapBinary(product, scaled(bias, attributes.float('beta', 1)), add) : product];
  },
  macs({ inputs, outputs, attributes }) {
    const inner = inputs[0]?.dims[attributes.int('transA', 0) ? 0 : 1] ?? 0;
    return elementCount(outputs[0]?.dims ?? [0]) * inner;
  },
};

/** Matrix products of ai.onnx. */
export const matmulOps: readonly OpDefinition[] = [matMul, gemm];
