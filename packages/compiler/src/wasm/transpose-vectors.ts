import type { FunctionBuilder } from './function-builder.ts';
import { i8x16 } from './instructions.ts';
import type { Expr, Local } from './types.ts';

/**
 * Transposes a square block: as many vectors as a vector has lanes (4 or 16). Each round interleaves the first half of
 * the vectors with the second half, which halves the distance between lanes that belong together.
 */
export function transposeVectors(f: FunctionBuilder, vectors: readonly Local<'v128'>[]): Local<'v128'>[] {
  const half = vectors.length / 2;
  const laneBytes = 16 / vectors.length;
  let block = [...vectors];
  for (let round = 1; round < vectors.length; round *= 2) {
    block = block
      .slice(0, half)
      .flatMap((first, index) =>
        [0, 8].map((from) => f.let(interleave(first, block[half + index]!, laneBytes, from))),
      );
  }
  return block;
}

/** Lanes of both vectors in turn, from this byte of each on: 0, or 8 for their upper halves. */
export function interleave(a: Expr<'v128'>, b: Expr<'v128'>, laneBytes: number, from: number): Expr<'v128'> {
  const bytes = Array.from({ length: 16 }, (_, byte) => {
    const lane = Math.floor(byte / laneBytes);
    return from + Math.floor(lane / 2) * laneBytes + (byte % laneBytes) + (lane % 2) * 16;
  });
  return i8x16.shuffle(a, b, bytes);
}
