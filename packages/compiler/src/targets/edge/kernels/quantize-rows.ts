import { i32, type FunctionRef } from '../../../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';
import {
  createRowRange,
  emitQuantizeRow,
  emitRowRange,
  quantizedRowBytes,
  type ActivationQuantization,
} from './quantize-row.ts';

export interface QuantizeRowsSpec {
  k: number;
  /** Floats from one row of x to the next, at least k rounded up to 8. */
  xStride: number;
  quantization: ActivationQuantization;
}

const PARAMS = {
  x: 'i32',
  /** Rows of quantizedRowBytes(k) bytes; bytes beyond k are 0. */
  bytes: 'i32',
  rowScale: 'i32',
  /** i32 per row: zero point, less 128 in mode s8. */
  rowZero: 'i32',
  m0: 'i32',
  m1: 'i32',
} as const;

/** Rows of float32 to rows of bytes with a scale and a zero point each: docs/architecture.md section 5. */
export function emitQuantizeRows(
  library: KernelLibrary,
  spec: QuantizeRowsSpec,
): FunctionRef<typeof PARAMS, undefined> {
  return library.once('quantize rows', spec, (name) =>
    library.module.function(name, { params: PARAMS }, (f, p) => {
      const range = spec.quantization.kind === 'dynamic' ? createRowRange(f) : undefined;
      f.increment(p.x, i32.mul(p.m0, 4 * spec.xStride));
      f.increment(p.bytes, i32.mul(p.m0, quantizedRowBytes(spec.k)));
      f.increment(p.rowScale, i32.shl(p.m0, 2));
      f.increment(p.rowZero, i32.shl(p.m0, 2));
      f.whileBelow(p.m0, p.m1, 1, () => {
        if (range) emitRowRange(f, spec.k, p.x, range);
        emitQuantizeRow(library, f, spec.k, spec.quantization, p, range);
        f.increment(p.x, 4 * spec.xStride);
        f.increment(p.bytes, quantizedRowBytes(spec.k));
        f.increment(p.rowScale, 4);
        f.increment(p.rowZero, 4);
      });
    }),
  );
}
