import { add, mul, sigmoid, sub, tanh } from './math.ts';
import { linearF32 } from './rows.ts';

export interface GruLayer {
  readonly hidden: number;
  /** R, [hidden][3·hidden], gates z, r, n. */
  readonly weights: Float32Array;
  /** Of the candidate's product of the state, where the reset gate takes that. */
  readonly bias: Float32Array | undefined;
  readonly reverse: boolean;
}

/**
 * One direction of a GRU over one sequence, bit-identical to the kernel. `gates` holds x·W + b of every step,
 * [steps][3·hidden]; the result the state after every step.
 */
export function gru(gates: Float32Array, layer: GruLayer, initial: Float32Array): Float32Array {
  const { hidden, bias, reverse } = layer;
  const rows = 3 * hidden;
  const steps = gates.length / rows;
  const y = new Float32Array(steps * hidden);
  let h = initial;
  for (let step = 0; step < steps; step++) {
    const at = reverse ? steps - 1 - step : step;
    const [z, r, n] = [0, 1, 2].map((gate) =>
      gates.subarray(at * rows + gate * hidden, at * rows + (gate + 1) * hidden),
    ) as [Float32Array, Float32Array, Float32Array];
    const keep = product(layer, 0, h, z).map(sigmoid);
    const open = product(layer, 1, h, r).map(sigmoid);
    const sums = bias
      ? product(layer, 2, h, bias).map((sum, unit) => add(mul(open[unit]!, sum), n[unit]!))
      : product(
          layer,
          2,
          h.map((value, unit) => mul(open[unit]!, value)),
          n,
        );
    const next = y.subarray(at * hidden, (at + 1) * hidden);
    for (let unit = 0; unit < hidden; unit++)
      next[unit] = add(mul(sub(1, keep[unit]!), tanh(sums[unit]!)), mul(keep[unit]!, h[unit]!));
    h = next;
  }
  return y;
}

/** state·R of one gate + bias. */
function product(
  { hidden, weights }: GruLayer,
  gate: number,
  state: Float32Array,
  bias: Float32Array,
): Float32Array {
  const values = Float32Array.from(
    { length: hidden * hidden },
    (_, at) => weights[Math.floor(at / hidden) * 3 * hidden + gate * hidden + (at % hidden)]!,
  );
  return linearF32(state, { k: hidden, n: hidden, values, bias }, 'none');
}
