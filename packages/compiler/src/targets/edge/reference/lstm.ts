import { add, mul, sigmoid, tanh } from './math.ts';

export interface LstmLayer {
  readonly hidden: number;
  /** R [4·hidden][hidden], gates i, o, f, c. */
  readonly recurrence: Float32Array;
  readonly reverse: boolean;
}

/**
 * One direction of an LSTM, bit-identical to the kernel. `gates` holds x·W + b of every step, [steps][4·hidden]; the
 * result the hidden state after every step and the cell state after the last.
 */
export function lstm(
  gates: Float32Array,
  { hidden, recurrence, reverse }: LstmLayer,
  initial: { readonly h: Float32Array; readonly c: Float32Array },
): { y: Float32Array; cell: Float32Array } {
  const rows = 4 * hidden;
  const steps = gates.length / rows;
  const y = new Float32Array(steps * hidden);
  let h = initial.h;
  const cell = Float32Array.from(initial.c);
  for (let step = 0; step < steps; step++) {
    const at = reverse ? steps - 1 - step : step;
    const sum = (row: number): number => {
      const recurrent = h.reduce(
        (total, value, k) => add(total, mul(value, recurrence[row * hidden + k]!)),
        0,
      );
      return add(recurrent, gates[at * rows + row]!);
    };
    const next = y.subarray(at * hidden, (at + 1) * hidden);
    for (let unit = 0; unit < hidden; unit++) {
      const added = mul(sigmoid(sum(unit)), tanh(sum(3 * hidden + unit)));
      cell[unit] = add(mul(sigmoid(sum(2 * hidden + unit)), cell[unit]!), added);
      next[unit] = mul(sigmoid(sum(hidden + unit)), tanh(cell[unit]!));
    }
    h = next;
  }
  return { y, cell };
}
