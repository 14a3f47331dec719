/** Rows taken in before they are multiplied: a panel of them stays in cache. */
const PANEL_ROWS = 64;

/**
 * The normal equations of Y ≈ X·W, summed up row by row: memory does not grow with the number of rows. A row is counted `scale²`
 * times.
 */
export class NormalEquations {
  readonly inputs: number;
  readonly outputs: number;
  /** Xᵀ·X [inputs, inputs]; the lower triangle is filled. */
  readonly gram: Float64Array;
  /** Xᵀ·Y [inputs, outputs]. */
  readonly cross: Float64Array;
  rows = 0;
  /** Feature after feature, PANEL_ROWS numbers each. */
  readonly #x: Float64Array;
  readonly #y: Float64Array;
  #filled = 0;

  constructor(inputs: number, outputs: number) {
    this.inputs = inputs;
    this.outputs = outputs;
    this.gram = new Float64Array(inputs * inputs);
    this.cross = new Float64Array(inputs * outputs);
    this.#x = new Float64Array(roundUp4(inputs) * PANEL_ROWS);
    this.#y = new Float64Array(roundUp4(outputs) * PANEL_ROWS);
  }

  /** Takes in one row. */
  add(x: Float32Array | Float64Array, y: Float32Array | Float64Array, scale: number): void {
    const row = this.#filled;
    for (let i = 0; i < this.inputs; i++) this.#x[i * PANEL_ROWS + row] = x[i]! * scale;
    for (let i = 0; i < this.outputs; i++) this.#y[i * PANEL_ROWS + row] = y[i]! * scale;
    this.rows++;
    this.#filled++;
    if (this.#filled === PANEL_ROWS) this.flush();
  }

  /** Brings `gram` and `cross` up to date. */
  flush(): void {
    if (this.#filled === 0) return;
    for (let i = 0; i < this.inputs; i += 4) {
      for (let j = 0; j <= i; j += 4) addTile(this.#x, i, this.#x, j, this.gram, this.inputs, this.inputs);
      for (let j = 0; j < this.outputs; j += 4)
        addTile(this.#x, i, this.#y, j, this.cross, this.inputs, this.outputs);
    }
    this.#x.fill(0);
    this.#y.fill(0);
    this.#filled = 0;
  }
}

function roundUp4(count: number): number {
  return (count + 3) & ~3;
}

const TILE = new Float64Array(16);

/** sums[i…i+3, j…j+3] += products of four features of `a` with four of `b`, over the rows of the panel. */
function addTile(
  a: Float64Array,
  i: number,
  b: Float64Array,
  j: number,
  sums: Float64Array,
  rows: number,
  columns: number,
): void {
  let [s00, s01, s02, s03, s10, s11, s12, s13] = [0, 0, 0, 0, 0, 0, 0, 0];
  let [s20, s21, s22, s23, s30, s31, s32, s33] = [0, 0, 0, 0, 0, 0, 0, 0];
  const [a0, a1, a2, a3] = [i, i + 1, i + 2, i + 3].map((feature) => feature * PANEL_ROWS) as Four;
  const [b0, b1, b2, b3] = [j, j + 1, j + 2, j + 3].map((feature) => feature * PANEL_ROWS) as Four;
  for (let row = 0; row < PANEL_ROWS; row++) {
    const [x0, x1, x2, x3] = [a[a0 + row]!, a[a1 + row]!, a[a2 + row]!, a[a3 + row]!];
    const [y0, y1, y2, y3] = [b[b0 + row]!, b[b1 + row]!, b[b2 + row]!, b[b3 + row]!];
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
  TILE.set([s00, s01, s02, s03, s10, s11, s12, s13, s20, s21, s22, s23, s30, s31, s32, s33]);
  for (let m = 0; m < 4 && i + m < rows; m++)
    for (let n = 0; n < 4 && j + n < columns; n++) sums[(i + m) * columns + j + n]! += TILE[m * 4 + n]!;
}

type Four = [number, number, number, number];
