/** Rows taken in before they are multiplied: a panel of them stays in cache. */
const PANEL_ROWS = 128;

/**
 * The normal equations of Y ≈ X·W, summed up row by row: memory does not grow with the number of rows. A row is counted `scale²`
 * times.
 */
export class NormalEquations {
  readonly inputs: number;
  readonly outputs: number;
  /** Numbers of features rounded up to whole tiles. */
  readonly #width: number;
  readonly #height: number;
  readonly #gram: Float64Array;
  readonly #cross: Float64Array;
  /** Feature after feature, PANEL_ROWS numbers each. */
  readonly #x: Float64Array;
  readonly #y: Float64Array;
  #filled = 0;

  constructor(inputs: number, outputs: number) {
    this.inputs = inputs;
    this.outputs = outputs;
    this.#height = roundUp4(inputs);
    this.#width = roundUp4(outputs);
    this.#gram = new Float64Array(this.#height * this.#height);
    this.#cross = new Float64Array(this.#height * this.#width);
    this.#x = new Float64Array(this.#height * PANEL_ROWS);
    this.#y = new Float64Array(this.#width * PANEL_ROWS);
  }

  /** Takes in one row. */
  add(x: Float32Array | Float64Array, y: Float32Array | Float64Array, scale: number): void {
    const row = this.#filled;
    for (let i = 0; i < this.inputs; i++) this.#x[i * PANEL_ROWS + row] = x[i]! * scale;
    for (let i = 0; i < this.outputs; i++) this.#y[i * PANEL_ROWS + row] = y[i]! * scale;
    this.#filled++;
    if (this.#filled === PANEL_ROWS) this.#multiply();
  }

  /** Xᵀ·X [inputs, inputs]: the lower triangle. */
  gram(): Float64Array {
    this.#multiply();
    return crop(this.#gram, this.#height, this.inputs, this.inputs);
  }

  /** Xᵀ·Y [inputs, outputs]. */
  cross(): Float64Array {
    this.#multiply();
    return crop(this.#cross, this.#width, this.inputs, this.outputs);
  }

  #multiply(): void {
    if (this.#filled === 0) return;
    for (let i = 0; i < this.#height; i += 4) {
      for (let j = 0; j <= i; j += 4) addTile(this.#x, i, this.#x, j, this.#gram, this.#height);
      for (let j = 0; j < this.#width; j += 4) addTile(this.#x, i, this.#y, j, this.#cross, this.#width);
    }
    this.#x.fill(0);
    this.#y.fill(0);
    this.#filled = 0;
  }
}

function roundUp4(count: number): number {
  return (count + 3) & ~3;
}

/** The first rows and columns of a matrix whose rows are `stride` apart. */
function crop(matrix: Float64Array, stride: number, rows: number, columns: number): Float64Array {
  const cropped = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++)
    cropped.set(matrix.subarray(row * stride, row * stride + columns), row * columns);
  return cropped;
}

/** sums[i…i+3, j…j+3] += products of four features of `a` with four of `b`, over the rows of the panel. */
function addTile(
  a: Float64Array,
  i: number,
  b: Float64Array,
  j: number,
  sums: Float64Array,
  columns: number,
): void {
  let s00 = 0;
  let s01 = 0;
  let s02 = 0;
  let s03 = 0;
  let s10 = 0;
  let s11 = 0;
  let s12 = 0;
  let s13 = 0;
  let s20 = 0;
  let s21 = 0;
  let s22 = 0;
  let s23 = 0;
  let s30 = 0;
  let s31 = 0;
  let s32 = 0;
  let s33 = 0;
  const a0 = i * PANEL_ROWS;
  const a1 = (i + 1) * PANEL_ROWS;
  const a2 = (i + 2) * PANEL_ROWS;
  const a3 = (i + 3) * PANEL_ROWS;
  const b0 = j * PANEL_ROWS;
  const b1 = (j + 1) * PANEL_ROWS;
  const b2 = (j + 2) * PANEL_ROWS;
  const b3 = (j + 3) * PANEL_ROWS;
  for (let row = 0; row < PANEL_ROWS; row++) {
    const x0 = a[a0 + row]!;
    const x1 = a[a1 + row]!;
    const x2 = a[a2 + row]!;
    const x3 = a[a3 + row]!;
    const y0 = b[b0 + row]!;
    const y1 = b[b1 + row]!;
    const y2 = b[b2 + row]!;
    const y3 = b[b3 + row]!;
    s00 += x0 * y0;
    s01 += x0 * y1;
    s02 += x0 * y2;
    s03 += x0 * y3;
    s10 += x1 * y0;
    s11 += x1 * y1;
    s12 += x1 * y2;
    s13 += x1 * y3;
    s20 += x2 * y0;
    s21 += x2 * y1;
    s22 += x2 * y2;
    s23 += x2 * y3;
    s30 += x3 * y0;
    s31 += x3 * y1;
    s32 += x3 * y2;
    s33 += x3 * y3;
  }
  addRow(sums, i * columns + j, s00, s01, s02, s03);
  addRow(sums, (i + 1) * columns + j, s10, s11, s12, s13);
  addRow(sums, (i + 2) * columns + j, s20, s21, s22, s23);
  addRow(sums, (i + 3) * columns + j, s30, s31, s32, s33);
}

function addRow(sums: Float64Array, at: number, a: number, b: number, c: number, d: number): void {
  sums[at]! += a;
  sums[at + 1]! += b;
  sums[at + 2]! += c;
  sums[at + 3]! += d;
}
