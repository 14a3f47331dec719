import { CompilerError } from '../../diagnostics/index.ts';
import {
  elementCount,
  isFloat32,
  typedData,
  type DenseTensor,
  type Model,
  type Tensor,
} from '../../ir/index.ts';
import { followedOutputs } from './followed-outputs.ts';
import { convNetValues } from '../conv-nets/observe-conv-net.ts';

/** How one value of the candidate follows the float model's. */
export interface FollowedValue {
  readonly value: string;
  /** The node that makes it; undefined for an input of the model. */
  readonly layer: string | undefined;
  /** 10·log10(Σ(x − mean)² / Σ(x − x̂)²); NaN where the candidate's numbers are not finite. */
  readonly signalToNoiseDb: number;
  /** Whether the candidate gives one number where the float model's differ. */
  readonly isConstant: boolean;
}

/** A value of the float graph and what stands for it in the candidate. */
export interface ValuePair {
  readonly value: string;
  /** Name in the candidate, of floats or of bytes. */
  readonly source: string;
  /** Grid of the bytes; undefined for floats. */
  readonly grid: { readonly scale: number; readonly zero: number } | undefined;
  readonly restore: (tensor: Tensor) => Float32Array;
  readonly tally: FollowTally;
}

export function pairValues(float: Model, { graph }: Model): ValuePair[] {
  const made = new Set([
    ...graph.inputs.map(({ name }) => name),
    ...graph.nodes.flatMap(({ outputs }) => outputs),
  ]);
  const { ends, places } = followedOutputs(float);
  const wanted = new Set([...convNetValues(float), ...ends].filter((name) => !places.has(name)));
  const inOrder = [
    ...float.graph.inputs.map(({ name }) => name),
    ...float.graph.nodes.flatMap(({ outputs }) => outputs),
  ].filter((value) => wanted.has(value));
  return inOrder.flatMap((value): ValuePair[] => {
    const bytes = `${value}.quantized`;
    const [scale, zero] = [`${value}.scale`, `${value}.zero_point`].map((name) =>
      graph.initializers.get(name),
    );
    if (made.has(bytes) && scale !== undefined && zero !== undefined) {
      const grid = { scale: numbersOf(scale)[0]!, zero: numbersOf(zero)[0]! };
      const restore = (tensor: Tensor): Float32Array =>
        Float32Array.from(numbersOf(tensor), (byte) => (byte - grid.zero) * grid.scale);
      return [{ value, source: bytes, grid, restore, tally: new FollowTally() }];
    }
    if (!made.has(value)) return [];
    return [
      { value, source: value, grid: undefined, restore: numbersOf, tally: new FollowTally() } as ValuePair,
    ];
  });
}

function numbersOf(tensor: Tensor): Float32Array {
  if (tensor.kind !== 'dense') throw new CompilerError('unsupported', 'followFloat: texts have no noise');
  return isFloat32(tensor)
    ? typedData(tensor)
    : Float32Array.from(typedData(tensor as DenseTensor & { dtype: 'uint8' }));
}

/** Sums over everything seen of one value. */
export class FollowTally {
  /** Smallest and largest number of the float model. */
  min: number = Infinity;
  max: number = -Infinity;
  #sum = 0;
  #squares = 0;
  #noise = 0;
  #count = 0;
  #least = Infinity;
  #most = -Infinity;

  add(expected: Tensor, actual: Float32Array): void {
    const numbers = numbersOf(expected);
    if (numbers.length !== actual.length)
      throw new CompilerError(
        'bad-option',
        `followFloat: ${elementCount(expected.dims)} numbers became ${actual.length}`,
      );
    for (let i = 0; i < actual.length; i++) {
      const x = numbers[i]!;
      const y = actual[i]!;
      this.#sum += x;
      this.#squares += x * x;
      this.#noise += (x - y) ** 2;
      if (x < this.min) this.min = x;
      if (x > this.max) this.max = x;
      if (y < this.#least) this.#least = y;
      if (y > this.#most) this.#most = y;
    }
    this.#count += actual.length;
  }

  /** Σ(x − mean)² / n of the float model. */
  get variance(): number {
    return Math.max(0, this.#squares / this.#count - (this.#sum / this.#count) ** 2);
  }

  result(): { signalToNoiseDb: number; isConstant: boolean } {
    const signal = this.variance * this.#count;
    return {
      signalToNoiseDb: this.#noise === 0 ? Infinity : 10 * Math.log10(signal / this.#noise),
      isConstant: this.#least === this.#most && this.min < this.max,
    };
  }
}
