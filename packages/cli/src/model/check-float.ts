import type { Model } from '@edgewise/compiler';
import { UsageError } from '../command/usage-error.ts';

/** What tools that quantize at run time, or weights alone, put into a graph. */
const DYNAMIC: ReadonlySet<string> = new Set([
  'ConvInteger',
  'DynamicQuantizeLinear',
  'DynamicQuantizeMatMul',
  'MatMulInteger',
  'MatMulIntegerToFloat',
  'MatMulNBits',
  'QAttention',
]);
/** Of static quantization. */
const STATIC: ReadonlySet<string> = new Set(['QLinearMatMul', 'QuantizeLinear', 'DequantizeLinear']);

/** @throws UsageError for a model that is quantized in a way of which no candidates can be made. */
export function checkFloat({ graph }: Model, path: string, allows: { readonly static: boolean }): void {
  const found = graph.nodes.find(
    ({ opType }) => DYNAMIC.has(opType) || (!allows.static && STATIC.has(opType)),
  );
  if (found === undefined) return;
  throw new UsageError(
    `${path} is quantized already: it holds ${found.opType}.`,
    'optimize quantizes by itself and needs the float model: model.onnx rather than model_quantized.onnx, say.',
  );
}
