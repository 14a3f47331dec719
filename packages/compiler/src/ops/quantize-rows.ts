import { roundHalfEven } from './float-formats.ts';

const { fround } = Math;

/** One row of asymmetric 8-bit activations: real = (q − zero)·scale. */
export interface QuantizedRow {
  readonly q: Uint8Array;
  readonly scale: number;
  readonly zero: number;
}

/** Quantizes a row with its own range (docs/architecture.md, section 5). Every step is rounded to float32. */
export function quantizeRow(row: Float32Array): QuantizedRow {
  let low = 0;
  let high = 0;
  for (const x of row) {
    if (x < low) low = x;
    if (x > high) high = x;
  }
  const range = fround(high - low);
  const scale = range === 0 ? 1 : fround(range / 255);
  const inverse = fround(1 / scale);
  const zero = clampByte(roundHalfEven(fround(-low * inverse)));
  return { q: quantize(row, inverse, zero), scale, zero };
}

/** Quantizes a row with constants that calibration chose. */
export function quantizeRowStatic(row: Float32Array, scale: number, zero: number): QuantizedRow {
  return { q: quantize(row, fround(1 / scale), zero), scale, zero };
}

function quantize(row: Float32Array, inverse: number, zero: number): Uint8Array {
  return Uint8Array.from(row, (x) => clampByte(roundHalfEven(fround(x * inverse)) + zero));
}

function clampByte(value: number): number {
  return Math.min(Math.max(value, 0), 255);
}
