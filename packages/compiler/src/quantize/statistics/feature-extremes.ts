/** The smallest and the largest number of each feature over all rows that were added, 0 among them: every grid holds it. */
export class FeatureExtremes {
  readonly min: Float32Array;
  readonly max: Float32Array;

  constructor(width: number) {
    this.min = new Float32Array(width);
    this.max = new Float32Array(width);
  }

  /** Rows one after the other. */
  add(rows: Float32Array): void {
    const { min, max } = this;
    const width = min.length;
    for (let at = 0; at < rows.length; at += width) {
      for (let i = 0; i < width; i++) {
        const value = rows[at + i]!;
        if (value < min[i]!) min[i] = value;
        if (value > max[i]!) max[i] = value;
      }
    }
  }
}
