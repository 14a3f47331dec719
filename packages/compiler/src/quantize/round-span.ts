import type { Span } from './choose-scale.ts';
import { roundHalfEven, type IntegerGrid } from './integer-grid.ts';
import type { ErrorTally } from './quantization-error.ts';

/** Writes the nearest grid integers of `span / scale` to `out` from `at` on, and counts what that lost. */
export function roundSpan(
  { values, from, to }: Span,
  scale: number,
  { low, high }: IntegerGrid,
  out: Int8Array,
  at: number,
  tally: ErrorTally,
): void {
  const inverse = 1 / scale;
  let signal = 0;
  let noise = 0;
  let clipped = 0;
  for (let i = from; i < to; i++) {
    const exact = values[i]! * inverse;
    let q = roundHalfEven(exact);
    if (q > high) {
      q = high;
      clipped++;
    } else if (q < low) {
      q = low;
      clipped++;
    }
    out[at + i - from] = q;
    const difference = exact - q;
    signal += exact * exact;
    noise += difference * difference;
  }
  const square = scale * scale;
  tally.signal += signal * square;
  tally.noise += noise * square;
  tally.clipped += clipped;
  tally.count += to - from;
}
