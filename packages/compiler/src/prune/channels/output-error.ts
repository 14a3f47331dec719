import type { Model } from '../../ir/index.ts';
import { followedOutputs } from '../../quantize/index.ts';
import { GraphIndex } from '../../rewrite/index.ts';
import { isStandard } from '../../transforms/edgewise-node.ts';
import { runTogether, type CalibrationData } from '../run-together.ts';

/** Measures how far changed models are from a model at the outputs; at what goes into a last Softmax, which hides most of it. */
export class OutputError {
  readonly #data: CalibrationData;
  readonly #ends: readonly string[];
  /** Sample by sample, what the model makes of them. */
  readonly #expected: readonly (readonly Float32Array[])[];

  private constructor(
    data: CalibrationData,
    ends: readonly string[],
    expected: readonly (readonly Float32Array[])[],
  ) {
    this.#data = data;
    this.#ends = ends;
    this.#expected = expected;
  }

  static async of(model: Model, data: CalibrationData): Promise<OutputError> {
    const ends = endsOf(model);
    const expected: (readonly Float32Array[])[] = [];
    await runTogether([{ model, values: ends }], data, ([found = []]) => void expected.push(found));
    return new OutputError(data, ends, expected);
  }

  /** Squared error as a share of the squares, the mean of the outputs. */
  async measure(model: Model): Promise<number> {
    const errors = this.#ends.map(() => 0);
    const squares = this.#ends.map(() => 0);
    let sample = 0;
    await runTogether([{ model, values: this.#ends }], this.#data, ([found = []]) => {
      for (const [at, values] of found.entries()) {
        const expected = this.#expected[sample]![at]!;
        for (const [i, value] of values.entries()) {
          errors[at]! += (value - expected[i]!) ** 2;
          squares[at]! += expected[i]! ** 2;
        }
      }
      sample++;
    });
    return errors.reduce((sum, error, at) => sum + error / squares[at]!, 0) / errors.length;
  }
}

function endsOf(model: Model): string[] {
  const index = new GraphIndex(model.graph);
  const ends = [...followedOutputs(model).ends].map((end) => {
    const node = index.producer(end);
    return (node !== undefined && isStandard(node, 'Softmax', 'LogSoftmax') && node.inputs[0]) || end;
  });
  return [...new Set(ends)];
}
