import type { Model } from '../../ir/index.ts';
import { ConvSums, forgiveCut, PatchedConv, withSums } from './conv-sums.ts';
import { fitProjection, type FittedProjection } from '../least-squares/fit-projection.ts';
import type { Relay } from './relay.ts';

export interface FitConvOptions {
  /** The model before pruning. */
  readonly float: Model;
  /** The model as it is by now. */
  readonly model: Model;
  /** Output of the convolution, in both. */
  readonly value: string;
  /** Channels of its input to remove. */
  readonly remove: number;
  readonly pull: number;
  readonly positions: number;
}

export const FIT_CONV_DEFAULTS: Pick<FitConvOptions, 'pull' | 'positions'> = { pull: 1500, positions: 64 };

export interface FittedConv {
  /** Channels of its input that stay, ascending. */
  readonly keep: readonly number[];
  /** As in the node, [M,C,…], and [M]. */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/** Fits a convolution of the pruned model so that its output, or the sum that it goes into, comes near the float model's. */
export async function fitConv(
  { float, model, value, remove, pull, positions }: FitConvOptions,
  relay: Relay,
): Promise<FittedConv> {
  const own = new PatchedConv(model, value);
  const sums = new ConvSums(own);
  const [sum = ''] = own.made;
  await relay.run(
    { model: withSums(float, [value]), values: new PatchedConv(float, value).made },
    { model: withSums(model, [value]), values: [...own.read, sum] },
    ([wanted = [], found = []]) => {
      const target = forgiveCut(wanted[0]!, found.at(-1)!, own.limits);
      sums.add([target, ...wanted.slice(1)], found.slice(0, -1), positions);
    },
  );
  return solveConv(own, sums, remove, pull);
}

/** Least squares for the sums, after the removal of channels. The weight is as in the node, [M,C,…]. */
export function solveConv(
  { weight, outputs, bias, area }: PatchedConv,
  { equations, shown }: ConvSums,
  remove: number,
  pull: number,
): FittedProjection {
  const fitted = fitProjection({
    equations,
    weight: transposed(weight, weight.length / outputs),
    bias,
    groupSize: area,
    remove,
    damping: pull / shown,
  });
  return { ...fitted, weight: transposed(fitted.weight, outputs) };
}

/** Rows of `width` numbers become columns. */
function transposed(matrix: Float32Array, width: number): Float32Array {
  const height = matrix.length / width;
  return matrix.map((_, at) => matrix[(at % height) * width + Math.floor(at / height)]!);
}
