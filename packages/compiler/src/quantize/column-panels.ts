/** Columns copied at a time: one cache line of each row. */
const PANEL_COLUMNS = 16;

export interface ColumnPanel {
  /** Column after column, each `rows` long; overwritten by the next panel. */
  readonly data: Float32Array;
  /** First column of the panel. */
  readonly column: number;
  readonly width: number;
}

/** Walks a row-major matrix in panels whose columns are contiguous, so that loops over a column stay in cache. */
export class ColumnPanels implements Iterable<ColumnPanel> {
  readonly #weight: Float32Array;
  readonly #rows: number;
  readonly #columns: number;

  constructor(weight: Float32Array, rows: number, columns: number) {
    this.#weight = weight;
    this.#rows = rows;
    this.#columns = columns;
  }

  *[Symbol.iterator](): Iterator<ColumnPanel> {
    const data = new Float32Array(PANEL_COLUMNS * this.#rows);
    for (let column = 0; column < this.#columns; column += PANEL_COLUMNS) {
      const width = Math.min(PANEL_COLUMNS, this.#columns - column);
      this.#copy(data, column, width);
      yield { data, column, width };
    }
  }

  #copy(data: Float32Array, column: number, width: number): void {
    const weight = this.#weight;
    const rows = this.#rows;
    for (let row = 0; row < rows; row++) {
      const start = row * this.#columns + column;
      for (let c = 0; c < width; c++) data[c * rows + row] = weight[start + c]!;
    }
  }
}
