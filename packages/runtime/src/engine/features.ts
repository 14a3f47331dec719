/** A module with one function without parameters that leaves a v128; `body` is shorter than 124 bytes. */
const moduleWith = (...body: number[]): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(
    [
      // magic and version
      [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      // types: () -> v128; functions
      [1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0],
      // code, without locals
      [10, body.length + 4, 1, body.length + 2, 0, ...body, 0x0b],
    ].flat(),
  );

/** i8x16.splat(0) */
const ZERO = [0x41, 0, 0xfd, 15];

export function hasSimd(): boolean {
  return WebAssembly.validate(moduleWith(...ZERO));
}

/** Whether i32x4.relaxed_dot_i8x16_i7x16_add_s is known here. */
export function hasRelaxedSimd(): boolean {
  return WebAssembly.validate(moduleWith(...ZERO, ...ZERO, ...ZERO, 0xfd, 0x93, 2));
}
