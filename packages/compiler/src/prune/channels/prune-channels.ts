import { CompilerError } from '../../diagnostics/index.ts';
import type { Model } from '../../ir/index.ts';
import { GraphIndex, runPasses } from '../../rewrite/index.ts';
import { allocateChannels, type PricedChain } from './allocate-channels.ts';
import { isDepthwise, isOrdinary } from './conv-chains.ts';
import { FIT_CONV_DEFAULTS, fitConv } from './fit-conv.ts';
import { fitDepthwise } from './fit-depthwise.ts';
import { priceChains } from './price-chains.ts';
import { refitConv } from './refit-conv.ts';
import { Relay } from './relay.ts';
import { removeChannels } from './remove-channels.ts';
import type { CalibrationData } from '../run-together.ts';

export interface PruneChannelsOptions extends CalibrationData {
  /** Share of the multiply-accumulates that stays, above 0 and at most 1. */
  readonly macs: number;
  /**
   * Whether convolutions behind what went are fitted to what the model did before. Without it what is left stays as it was: for
   * comparison. Default true.
   */
  readonly repair?: boolean;
  /**
   * Pull of the fits towards the weights as they are: it weighs as much as this number of positions of outputs. Few samples or small maps thus
   * change a convolution less. Default 1500.
   */
  readonly pull?: number;
  /** Positions of each convolution's output that are looked at, per sample. Default 64. */
  readonly positions?: number;
  /** What `priceChains` found for this model and these samples, when several shares are tried. Default: found here. */
  readonly chains?: readonly PricedChain[];
  readonly onProgress?: (what: string) => void;
}

export const PRUNE_CHANNELS_DEFAULTS: Required<Pick<PruneChannelsOptions, 'repair' | 'pull' | 'positions'>> =
  { repair: true, ...FIT_CONV_DEFAULTS };

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
 * Channels that meet an Add, a Concat or an output stay. How many go where is decided by what they cost the outputs (`priceChains`,
 * `allocateChannels`). Then convolutions are fitted by least squares, first to last, on the patches that they have in the pruned
 * model; which channels go is chosen on the way (`eliminateGroups`). Samples that show the same, such as a picture and its mirror image, must lie
 * beside each other.
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
  const chains = options.chains ?? (await priceChains(float, options));
  const { kept, macs } = allocateChannels(float, chains, options.macs);
  const between = chains.flatMap(({ first, between }) => [first, ...between]);
  const changing = new Set(between.map(({ outputs: [value = ''] }) => value));
  const relay = new Relay(float, options, changing);
  const convs: PrunedConv[] = [];
  let model = float;
  for (const [value, fit] of fittable(float)) {
    const at = chains.findIndex(({ last }) => last.outputs[0] === value);
    const remove = at < 0 ? 0 : chains[at]!.channels - kept[at]!;
    if (remove === 0 && !(convs.length > 0 && options.repair)) continue;
    options.onProgress?.(value);
    const { keep, weight, bias } = await fit({ ...options, float, model, value, remove }, relay);
    if (remove > 0) {
      const { first, channels } = chains[at]!;
      const [made = ''] = first.outputs;
      ({ model } = await runPasses(model, [removeChannels({ value: made, keep })]));
      convs.push({ value: made, channels, removed: others(channels, keep) });
    }
    if (options.repair) ({ model } = await runPasses(model, [refitConv({ value, weight, bias })]));
  }
  return { model, convs, macs };
}

/**
 * Outputs of the convolutions that can be fitted, in order, with what fits them. What reads the model's input has nothing to make up for.
 */
function fittable({ graph }: Model): (readonly [string, typeof fitConv])[] {
  const index = new GraphIndex(graph);
  return graph.nodes.flatMap((node) => {
    const [read = ''] = node.inputs;
    const [value = ''] = node.outputs;
    if (index.isInput(read)) return [];
    if (isOrdinary(node, index)) return [[value, fitConv] as const];
    return isDepthwise(node, index) ? [[value, fitDepthwise] as const] : [];
  });
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
