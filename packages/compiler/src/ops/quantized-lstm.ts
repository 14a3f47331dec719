import type { OpDefinition, EvaluateContext } from './op-definition.ts';
import { asNumbers } from './indexing.ts';
import { quantizeRow } from './quantize-rows.ts';
import {
  biasesOf,
  evaluateRecurrent,
  inferRecurrent,
  LSTM,
  recurrentMacs,
  type ProductsOf,
} from './recurrent.ts';

const W_SCALE = 8;
const R_SCALE = 10;

/**
 * com.microsoft DynamicQuantizeLSTM: LSTM with W [directions, features, 4·hidden] and R [directions, hidden, 4·hidden] in
 * 8 bits, scales and zero points for each direction or each column, and x and h quantized at run time, each row with its own range
 * (onnxruntime: all rows of a product together; the same for one).
 */
export const quantizedLstm: OpDefinition = {
  domain: 'com.microsoft',
  opType: 'DynamicQuantizeLSTM',
  since: 1,
  inputs: [12, 12],
  outputs: [0, 3],
  infer: (context) => {
    const [x, w, r, ...rest] = context.types;
    // LSTM has gates before features.
    const turned = [w, r].map((type) => {
      const [directions = null, depth = null, columns = null] = type?.shape ?? [];
      return type && { ...type, shape: [directions, columns, depth] };
    });
    return inferRecurrent({ ...context, types: [x, ...turned, ...rest] });
  },
  macs: recurrentMacs,
  evaluate: (context) => {
    const columns = context.input(2).dims[2] as number;
    return evaluateRecurrent(context, LSTM, columns, quantizedProducts(context));
  },
};

function quantizedProducts(context: EvaluateContext): ProductsOf {
  return (index, { batch, features, hidden, columns }) => {
    const product = (slot: number, scaleSlot: number, depth: number, bias: Float64Array) => {
      const part = (input: number, count: number): ArrayLike<number> => {
        const values = asNumbers(context.input(input));
        return values.length === context.input(1).dims[0]
          ? new Float64Array(count).fill(values[index] as number)
          : values.subarray(index * count, (index + 1) * count);
      };
      const weight = part(slot, depth * columns);
      const [scale, zero] = [part(scaleSlot, columns), part(scaleSlot + 1, columns)];
      return (x: Float32Array | Float64Array): Float64Array => {
        const out = new Float64Array(batch * columns);
        for (let row = 0; row < batch; row++) {
          const quantized = quantizeRow(Float32Array.from(x.subarray(row * depth, (row + 1) * depth)));
          for (let column = 0; column < columns; column++) {
            let sum = 0;
            for (let i = 0; i < depth; i++) {
              const offset = (weight[i * columns + column] as number) - (zero[column] as number);
              sum += ((quantized.q[i] as number) - quantized.zero) * offset;
            }
            out[row * columns + column] =
              sum * quantized.scale * (scale[column] as number) + (bias[column] as number);
          }
        }
        return out;
      };
    };
    const [inputBias, stateBias] = biasesOf(context, index, columns);
    return {
      fromInput: product(1, W_SCALE, features, inputBias),
      fromState: product(2, R_SCALE, hidden, stateBias),
    };
  };
}
