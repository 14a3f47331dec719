import { sumOuterProducts } from '../../quantize/statistics/outer-products.ts';

/** Rows taken in before they are multiplied. */
const BATCH_ROWS = 256;

/**
 * The normal equations of Y ≈ X·W, summed up row by row: memory does not grow with the number of rows. A row is counted `scale²`
 * times. Products are summed in float32 over a batch of rows and in float64 over the batches.
 */
export class NormalEquations {
  readonly inputs: number;
  readonly outputs: number;
  readonly #gram: Float64Array;
  readonly #cross: Float64Array;
  /** Rows of X and Y beside each other. */
  readonly #batch: Float32Array;
  #filled = 0;

  constructor(inputs: number, outputs: number) {
    this.inputs = inputs;
    this.outputs = outputs;
    this.#gram = new Float64Array(inputs * inputs);
    this.#cross = new Float64Array(inputs * outputs);
    this.#batch = new Float32Array(BATCH_ROWS * this.#width);
  }

  get #width(): number {
    return this.inputs + this.outputs;
  }

  /** Takes in one row. */
  add(x: Float32Array | Float64Array, y: Float32Array | Float64Array, scale: number): void {
    const at = this.#filled * this.#width;
    for (let i = 0; i < this.inputs; i++) this.#batch[at + i] = x[i]! * scale;
    for (let i = 0; i < this.outputs; i++) this.#batch[at + this.inputs + i] = y[i]! * scale;
    this.#filled++;
    if (this.#filled === BATCH_ROWS) this.#sumBatch();
  }

  /** Xᵀ·X [inputs, inputs]: the lower triangle. */
  gram(): Float64Array {
    this.#sumBatch();
    return this.#gram.slice();
  }

  /** Xᵀ·Y [inputs, outputs]. */
  cross(): Float64Array {
    this.#sumBatch();
    return this.#cross.slice();
  }

  #sumBatch(): void {
    if (this.#filled === 0) return;
    const { inputs, outputs } = this;
    const { data, stride } = sumOuterProducts(
      this.#batch.subarray(0, this.#filled * this.#width),
      this.#width,
    );
    for (let i = 0; i < inputs; i++) {
      const row = i * stride;
      for (let j = i; j < inputs; j++) this.#gram[j * inputs + i]! += data[row + j]!;
      for (let j = 0; j < outputs; j++) this.#cross[i * outputs + j]! += data[row + inputs + j]!;
    }
    this.#filled = 0;
  }
}
