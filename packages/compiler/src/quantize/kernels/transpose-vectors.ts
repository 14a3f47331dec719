import { i8x16, type FunctionBuilder, type Local } from '../../wasm/index.ts';

/**
 * Transposes a square block: as many vectors as a vector has lanes (4 or 16). Each round interleaves the first half of
 * the vectors with the second half, which halves the distance between lanes that belong together.
 */
export function transposeVectors(f: FunctionBuilder, vectors: readonly Local<'v128'>[]): Local<'v128'>[] {
  let block = [...vectors];
  for (let round = 1; round < vectors.length; round *= 2) block = interleave(f, block);
  return block;
}

function interleave(f: FunctionBuilder, block: readonly Local<'v128'>[]): Local<'v128'>[] {
  const half = block.length / 2;
  return block.slice(0, half).flatMap((first, index) => {
    const second = block[half + index]!;
    return [0, 8].map((from) =>
      f.let(i8x16.shuffle(first, second, interleavedBytes(from, 16 / block.length))),
    );
  });
}

/** Bytes of two vectors in turn, `width` bytes of each at a time, from byte `from` on. */
function interleavedBytes(from: number, width: number): number[] {
  return Array.from({ length: 16 }, (_, byte) => {
    const lane = Math.floor(byte / width);
    return from + Math.floor(lane / 2) * width + (byte % width) + (lane % 2) * 16;
  });
}
