import { denseTensor, elementCount, typedData, type DenseTensor } from '../../ir/index.ts';
import { unpackInt4 } from '../../quantize/weights/pack-int4.ts';
import { stringAttribute } from '../../transforms/node-attributes.ts';
import { expandActivation } from './expand-activation.ts';
import type { Expansion } from './expansion.ts';

/** ONNX `TensorProto.DataType` of float32, for Cast. */
const FLOAT = 1n;

const BLOCK_SIZE = 32;

/** MatMul, Add, activation. */
export function expandLinear(e: Expansion): string {
  const product = e.add('matmul', 'MatMul', [e.required(0), e.required(1)]);
  return finishLinear(e, product, e.optional(2));
}

/**
 * Dynamic: DynamicQuantizeLinear, MatMulInteger, Cast, Mul: onnxruntime fuses these into one kernel. It quantizes the whole
 * tensor with one range where the edgewise operator takes one per row, so results differ by the rounding of activations.
 * Static: QuantizeLinear and DequantizeLinear around MatMul; the same grid as ours.
 */
export function expandQuantizedLinear(e: Expansion): string {
  const weight = computeWeight(e);
  const product = e.optional(5) === undefined ? dynamicProduct(e, weight) : staticProduct(e, weight);
  return finishLinear(e, product, e.optional(3));
}

function finishLinear(e: Expansion, product: string, bias: string | undefined): string {
  const sum = bias === undefined ? product : e.add('sum', 'Add', [product, bias]);
  return expandActivation(e, stringAttribute(e.node, 'activation', 'none'), sum);
}

function dynamicProduct(e: Expansion, weight: string): string {
  const x = e.required(0);
  const [quantized = '', scale = '', zero = ''] = e.shared(
    x,
    ['quantized', 'scale', 'zero_point'],
    'DynamicQuantizeLinear',
    [x],
  );
  const integers = e.add('integers', 'MatMulInteger', [quantized, weight, zero]);
  const floats = e.add('floats', 'Cast', [integers], { to: FLOAT });
  const scales = e.add('scales', 'Mul', [scale, e.required(2)]);
  return e.add('product', 'Mul', [floats, scales]);
}

function staticProduct(e: Expansion, weight: string): string {
  const x = e.required(0);
  const grid = [e.required(5), e.required(6)];
  const [quantized = ''] = e.shared(x, ['quantized'], 'QuantizeLinear', [x, ...grid]);
  const [restored = ''] = e.shared(x, ['restored'], 'DequantizeLinear', [quantized, ...grid]);
  const columns = e.constantOf(e.required(2)).dims[0] ?? 0;
  const zeros = e.constant('weight_zero_point', denseTensor('int8', [columns], new Int8Array(columns)));
  const floats = e.add('weight', 'DequantizeLinear', [weight, e.required(2), zeros], { axis: 1n });
  return e.add('matmul', 'MatMul', [restored, floats]);
}

/** Name of the int8 weight: the stored one, or what 4-bit storage stands for. */
function computeWeight(e: Expansion): string {
  const stored = e.constantOf(e.required(1));
  const multiplier = e.optional(4);
  if (multiplier === undefined) return e.required(1);
  const factors = typedData({ ...e.constantOf(multiplier), dtype: 'uint8' });
  return e.constant('weight_int8', denseTensor('int8', stored.dims, multiplyBlocks(stored, factors)));
}

function multiplyBlocks(stored: DenseTensor, factors: Uint8Array): Int8Array {
  const [rows = 0, columns = 0] = stored.dims;
  const values = unpackInt4(stored.data, elementCount(stored.dims));
  for (let row = 0; row < rows; row++) {
    const block = Math.floor(row / BLOCK_SIZE) * columns;
    for (let n = 0; n < columns; n++) values[row * columns + n]! *= factors[block + n]!;
  }
  return values;
}
