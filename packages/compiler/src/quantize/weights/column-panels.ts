/** Columns copied at a time: one cache line of each row. */
const PANEL_COLUMNS = 16;

export interface ColumnPanel {
  /** Column after column, each `rows` long; overwritten by the next panel. */
  readonly data: Float32Array;
  /** Room for the integers of these columns, laid out alike. */
  readonly integers: Int8Array;
  /** First column of the panel. */
  readonly column: number;
  readonly width: number;
}

/** Walks row-major matrices in panels whose columns are contiguous, so that loops over a column stay in cache. */
export class ColumnPanels {
  readonly #rows: number;
  readonly #columns: number;

  constructor(rows: number, columns: number) {
    this.#rows = rows;
    this.#columns = columns;
  }

  *read(weight: Float32Array): Generator<ColumnPanel> {
    const [rows, columns] = [this.#rows, this.#columns];
    const data = new Float32Array(PANEL_COLUMNS * rows);
    const integers = new Int8Array(PANEL_COLUMNS * rows);
    for (let column = 0; column < columns; column += PANEL_COLUMNS) {
      const width = Math.min(PANEL_COLUMNS, columns - column);
      gather(weight, data, rows, columns, column, width);
      yield { data, integers, column, width };
    }
  }

  /** Puts the panel's integers into the row-major matrix. */
  write({ integers, column, width }: ColumnPanel, matrix: Int8Array): void {
    scatter(integers, matrix, this.#rows, this.#columns, column, width);
  }
}

function gather(
  matrix: Float32Array,
  panel: Float32Array,
  rows: number,
  columns: number,
  column: number,
  width: number,
): void {
  for (let row = 0; row < rows; row++) {
    const start = row * columns + column;
    for (let c = 0; c < width; c++) panel[c * rows + row] = matrix[start + c]!;
  }
}

function scatter(
  panel: Int8Array,
  matrix: Int8Array,
  rows: number,
  columns: number,
  column: number,
  width: number,
): void {
  for (let row = 0; row < rows; row++) {
    const start = row * columns + column;
    for (let c = 0; c < width; c++) matrix[start + c] = panel[c * rows + row]!;
  }
}
