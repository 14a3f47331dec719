import { add, mul, sigmoid, tanh } from './math.ts';
import { linearF32, linearInt8, quantizeRows, type Int8Weights } from './rows.ts';

export interface LstmLayer {
  readonly hidden: number;
  /** h·R + bias: [4·hidden], gates i, o, f, c. */
  readonly product: (h: Float32Array, bias: Float32Array) => Float32Array;
  readonly reverse: boolean;
}

/**
 * One direction of an LSTM, bit-identical to the kernel. `gates` holds x·W + b of every step, [steps][4·hidden]; the
 * result the hidden state after every step and the cell state after the last.
 */
export function lstm(
  gates: Float32Array,
  { hidden, product, reverse }: LstmLayer,
  initial: { readonly h: Float32Array; readonly c: Float32Array },
): { y: Float32Array; cell: Float32Array } {
  const rows = 4 * hidden;
  const steps = gates.length / rows;
  const y = new Float32Array(steps * hidden);
  let h = initial.h;
  const cell = Float32Array.from(initial.c);
  for (let step = 0; step < steps; step++) {
    const at = reverse ? steps - 1 - step : step;
    const sums = product(h, gates.subarray(at * rows, (at + 1) * rows));
    const next = y.subarray(at * hidden, (at + 1) * hidden);
    for (let unit = 0; unit < hidden; unit++) {
      const added = mul(sigmoid(sums[unit]!), tanh(sums[3 * hidden + unit]!));
      cell[unit] = add(mul(sigmoid(sums[2 * hidden + unit]!), cell[unit]!), added);
      next[unit] = mul(sigmoid(sums[hidden + unit]!), tanh(cell[unit]!));
    }
    h = next;
  }
  return { y, cell };
}

/** A product with R [hidden][4·hidden] in float32. */
export function floatState(values: Float32Array): LstmLayer['product'] {
  return (h, bias) => linearF32(h, { k: h.length, n: bias.length, values, bias }, 'none');
}

/** A product with R in int8, the state quantized with its own range. */
export function int8State(weights: Omit<Int8Weights, 'bias'>): LstmLayer['product'] {
  return (h, bias) =>
    linearInt8(quantizeRows(h, 1, h.length, { kind: 'dynamic' }), { ...weights, bias }, 'none');
}
