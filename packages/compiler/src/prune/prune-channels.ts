import { CompilerError } from '../diagnostics/index.ts';
import type { Model } from '../ir/index.ts';
import { GraphIndex, runPasses } from '../rewrite/index.ts';
import { allocateChannels, type PricedChain } from './allocate-channels.ts';
import { convChains, isOrdinary, type ConvChain } from './conv-chains.ts';
import { ConvSums, PatchedConv, withSums } from './conv-sums.ts';
import { fitProjection, type FittedProjection } from './fit-projection.ts';
import { refitConv } from './refit-conv.ts';
import { removeChannels } from './remove-channels.ts';
import { runTogether, type CalibrationData } from './run-together.ts';

export interface PruneChannelsOptions extends CalibrationData {
  /** Share of the multiply-accumulates that stays, above 0 and at most 1. */
  readonly macs: number;
  /**
   * Whether convolutions behind what went are fitted to what the model did before. Without it what is left stays as it was: for
   * comparison. Default true.
   */
  readonly repair?: boolean;
  /** Pull of the fit towards the weights as they are, as a share of the mean square of an input. Default 0.01. */
  readonly damping?: number;
  /** Positions of each convolution's output that are looked at, per sample. Default 64. */
  readonly positions?: number;
  readonly onProgress?: (what: string) => void;
}

export const PRUNE_CHANNELS_DEFAULTS: Required<
  Pick<PruneChannelsOptions, 'repair' | 'damping' | 'positions'>
> = { repair: true, damping: 0.01, positions: 64 };

/** What went from a convolution. */
export interface PrunedConv {
  /** Output of the convolution. */
  readonly value: string;
  /** Filters, by numbers in the model as it came. */
  readonly removed: readonly number[];
  /** Filters that it had. */
  readonly channels: number;
}

export interface PrunedConvNet {
  readonly model: Model;
  readonly convs: readonly PrunedConv[];
  /** Share of the multiply-accumulates that stays. */
  readonly macs: number;
}

/**
 * Removes channels inside a compact float convolutional network, without training: those that one convolution makes and only
 * another reads, directly or through depthwise convolutions and pooling (the middle of ResNet's blocks, MobileNetV2's expanded channels).
 * Channels that meet an Add, a Concat or an output stay. How many go where is decided by what they cost
 * (`allocateChannels`). Then convolutions are fitted by least squares, first to last, on the patches that they have in the pruned
 * model; which channels go is chosen on the way (`eliminateGroups`).
 *
 * ```ts
 * const { model, convs } = await pruneChannels(compact, { macs: 0.7, open, samples });
 * ```
 * Run it after `compactConvNet`.
 * @throws CompilerError `bad-option` for a share outside 0 to 1 or one that cannot be reached; `unsupported` where no channels
 * are free to go; what `runTogether` throws.
 */
export async function pruneChannels(float: Model, given: PruneChannelsOptions): Promise<PrunedConvNet> {
  const options = { ...PRUNE_CHANNELS_DEFAULTS, ...given };
  checkOptions(options);
  const chains = await priceChains(float, options);
  const { kept, macs } = allocateChannels(float, chains, options.macs);
  const convs: PrunedConv[] = [];
  let model = float;
  for (const value of repairable(float)) {
    const at = chains.findIndex(({ last }) => last.outputs[0] === value);
    const remove = at < 0 ? 0 : chains[at]!.channels - kept[at]!;
    if (remove === 0 && !(convs.length > 0 && options.repair)) continue;
    options.onProgress?.(value);
    const fitted = await fitConv({ ...options, float, model, value, remove });
    if (remove > 0) {
      const { first, channels } = chains[at]!;
      const [made = ''] = first.outputs;
      ({ model } = await runPasses(model, [removeChannels({ value: made, keep: fitted.keep })]));
      convs.push({ value: made, channels, removed: others(channels, fitted.keep) });
    }
    if (options.repair)
      ({ model } = await runPasses(model, [
        refitConv({ value, weight: transposed(fitted.weight, fitted.bias.length), bias: fitted.bias }),
      ]));
  }
  return { model, convs, macs };
}

/** Outputs of the convolutions that can be fitted, in order. What reads the model's input has nothing to make up for. */
function repairable({ graph }: Model): string[] {
  const index = new GraphIndex(graph);
  return graph.nodes
    .filter((node) => isOrdinary(node, index) && !index.isInput(node.inputs[0] ?? ''))
    .map(({ outputs }) => outputs[0] ?? '');
}

/** What the channels of each chain cost when they go one after the other, all in one run of the samples. */
async function priceChains(
  float: Model,
  options: CalibrationData & { readonly damping: number; readonly positions: number },
): Promise<PricedChain[]> {
  const chains = convChains(float);
  if (chains.length === 0)
    throw new CompilerError('unsupported', 'pruneChannels: no channels are free to go', {
      hint: 'run compactConvNet() first; channels that meet an Add, a Concat or an output stay',
    });
  const outputs = chains.map(({ last }) => last.outputs[0] ?? '');
  const convs = outputs.map((output) => new PatchedConv(float, output));
  const sums = convs.map((conv) => new ConvSums(conv));
  const values = [...new Set(convs.flatMap(({ read, made }) => [...read, ...made]))];
  await runTogether([{ model: withSums(float, outputs), values }], options, ([found = []]) => {
    const take = (names: readonly string[]): Float32Array[] =>
      names.map((name) => found[values.indexOf(name)]!);
    for (const [at, { read, made }] of convs.entries())
      sums[at]!.add(take(made), take(read), options.positions);
  });
  return chains.map((chain, at) => priceChain(chain, convs[at]!, sums[at]!, options.damping));
}

function priceChain(chain: ConvChain, conv: PatchedConv, sums: ConvSums, damping: number): PricedChain {
  const { costs } = solve(conv, sums, chain.channels - 1, damping);
  return { ...chain, costs: costs.map((cost) => cost / sums.variance) };
}

interface FitConvOptions extends CalibrationData {
  /** The model before pruning. */
  readonly float: Model;
  /** The model as it is by now. */
  readonly model: Model;
  /** Output of the convolution, in both. */
  readonly value: string;
  /** Channels of its input to remove. */
  readonly remove: number;
  readonly damping: number;
  readonly positions: number;
}

async function fitConv(options: FitConvOptions): Promise<FittedProjection> {
  const { float, model, value, remove, damping, positions } = options;
  const own = new PatchedConv(model, value);
  const sums = new ConvSums(own);
  const watched = [
    { model: withSums(float, [value]), values: new PatchedConv(float, value).made },
    { model, values: own.read },
  ];
  await runTogether(watched, options, ([made = [], read = []]) => sums.add(made, read, positions));
  return solve(own, sums, remove, damping);
}

function solve(
  conv: PatchedConv,
  { equations }: ConvSums,
  remove: number,
  damping: number,
): FittedProjection {
  const { weight, outputs, bias, area } = conv;
  return fitProjection({
    equations,
    weight: transposed(weight, weight.length / outputs),
    bias,
    groupSize: area,
    remove,
    damping,
  });
}

/** Rows of `width` numbers become columns. */
function transposed(matrix: Float32Array, width: number): Float32Array {
  const height = matrix.length / width;
  return matrix.map((_, at) => matrix[(at % height) * width + Math.floor(at / height)]!);
}

/** The numbers below `count` that are not listed. */
function others(count: number, listed: readonly number[]): number[] {
  const known = new Set(listed);
  return Array.from({ length: count }, (_, each) => each).filter((each) => !known.has(each));
}

function checkOptions({ macs, positions }: { readonly macs: number; readonly positions: number }): void {
  if (!(macs > 0 && macs <= 1))
    throw new CompilerError(
      'bad-option',
      `pruneChannels: macs must be a share above 0 and at most 1, got ${macs}`,
    );
  if (!(Number.isInteger(positions) && positions > 0))
    throw new CompilerError(
      'bad-option',
      `pruneChannels: positions must be a whole number above 0, got ${positions}`,
    );
}
