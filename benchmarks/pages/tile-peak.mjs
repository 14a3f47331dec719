// The rate of a bare matrix-product tile in this engine: what a kernel could reach if nothing but products had to be
// done. Two panel vectors and a column of rows from the first-level cache, as the engine's kernels read them.

/** Rows that the accumulators of a tile leave registers for. */
const ROWS = { dot: 6, pairs: 5, i16: 5 };
/** Steps of the inner loop: 4 KiB of weights. */
const STEPS = 128;
const STEP_BYTES = 32;
const ROWS_AT = 8192;

/** Magic and version. */
const MAGIC = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const V128 = 0x7b;
const I32 = 0x7f;

/** @typedef {keyof typeof ROWS} Form */

/** How a mode's kernel multiplies. @param {string} mode @returns {Form} */
export function formOf(mode) {
  return mode === 'u8' || mode === 's8' ? 'dot' : mode === 'pairs' ? 'pairs' : 'i16';
}

/**
 * Billions of operations per second, two per multiply-accumulate: the best of several runs, as a peak is.
 * @param {Form} form
 */
export function tilePeakGops(form) {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(tileModule(form)));
  const run = /** @type {(times: number) => void} */ (instance.exports['run']);
  // About a millisecond each: short enough to fall between what else the machine does.
  const times = 2000;
  const products = form === 'i16' ? 8 : 16;
  const operations = times * STEPS * ROWS[form] * 2 * products * 2;
  let best = Infinity;
  for (let attempt = 0; attempt < 300; attempt++) {
    const start = performance.now();
    run(times);
    best = Math.min(best, performance.now() - start);
  }
  return operations / best / 1e6;
}

/** @param {Form} form */
function tileModule(form) {
  const rows = ROWS[form];
  // Locals: 0 times (parameter), 1 position, then accumulators, two weight vectors, one row.
  const accumulator = (/** @type {number} */ index) => 2 + index;
  const weight = (/** @type {number} */ index) => 2 + 2 * rows + index;
  const row = 4 + 2 * rows;
  const get = (/** @type {number} */ local) => [0x20, ...leb(local)];
  const set = (/** @type {number} */ local) => [0x21, ...leb(local)];
  const constant = (/** @type {number} */ value) => [0x41, ...signedLeb(value)];
  const load = (/** @type {number} */ opcode, /** @type {number} */ offset) =>
    [get(1), simd(opcode), 0, leb(offset)].flat();
  const simd = (/** @type {number} */ opcode) => [0xfd, ...leb(opcode)];

  const accumulate = (/** @type {number} */ sum, /** @type {number} */ w) => {
    const operands = [...get(w), ...get(row)];
    switch (form) {
      case 'dot': // i32x4.relaxed_dot_i8x16_i7x16_add_s
        return [...operands, ...get(sum), ...simd(0x113), ...set(sum)];
      case 'pairs': // i16x8.relaxed_dot_i8x16_i7x16_s, i32x4.extadd_pairwise_i16x8_s, i32x4.add
        return [...get(sum), ...operands, ...simd(0x112), ...simd(0x7e), ...simd(0xae), ...set(sum)];
      case 'i16': // i32x4.dot_i16x8_s, i32x4.add
        return [...get(sum), ...operands, ...simd(0xba), ...simd(0xae), ...set(sum)];
    }
  };

  const step = [0, 1].flatMap((index) => [...load(0x00, 16 * index), ...set(weight(index))]);
  for (let r = 0; r < rows; r++) {
    step.push(...load(0x09, ROWS_AT + 16 * r), ...set(row)); // v128.load32_splat
    for (const index of [0, 1]) step.push(...accumulate(accumulator(2 * r + index), weight(index)));
  }
  const stores = Array.from({ length: 2 * rows }, (_, index) =>
    [constant(16 * index), get(accumulator(index)), simd(0x0b), 0, 0].flat(),
  ).flat();
  const body = [
    [2, 1, I32, leb(2 * rows + 3), V128].flat(),
    [0x03, 0x40], // loop: times
    [constant(0), set(1)].flat(),
    [0x03, 0x40], // loop: steps
    step,
    [get(1), constant(STEP_BYTES), 0x6a, 0x22, 1].flat(),
    [constant(STEPS * STEP_BYTES), 0x49, 0x0d, 0, 0x0b].flat(),
    [get(0), constant(1), 0x6b, 0x22, 0, 0x0d, 0, 0x0b].flat(),
    stores,
    0x0b,
  ].flat();
  return Uint8Array.from([
    ...MAGIC,
    ...section(1, [1, 0x60, 1, I32, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]),
    ...section(7, [1, 3, ...new TextEncoder().encode('run'), 0, 0]),
    ...section(10, [1, ...leb(body.length), ...body]),
  ]);
}

/** @param {number} id @param {readonly number[]} content */
function section(id, content) {
  return [id, ...leb(content.length), ...content];
}

/** @param {number} value @returns {number[]} */
function leb(value) {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}

/** @param {number} value @returns {number[]} not negative */
function signedLeb(value) {
  return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...signedLeb(value >>> 7)];
}
