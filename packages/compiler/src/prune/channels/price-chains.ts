import { CompilerError } from '../../diagnostics/index.ts';
import type { Model } from '../../ir/index.ts';
import { runPasses } from '../../rewrite/index.ts';
import { CHANNEL_MULTIPLE, type PricedChain } from './allocate-channels.ts';
import { convChains, type ConvChain } from './conv-chains.ts';
import { ConvSums, PatchedConv, withSums } from './conv-sums.ts';
import { FIT_CONV_DEFAULTS, solveConv } from './fit-conv.ts';
import type { FittedProjection } from '../least-squares/fit-projection.ts';
import { OutputError } from './output-error.ts';
import { refitConv } from './refit-conv.ts';
import { removeChannels } from './remove-channels.ts';
import { runTogether, type CalibrationData } from '../run-together.ts';

export interface PriceChainsOptions extends CalibrationData {
  /** As for `pruneChannels`. */
  readonly pull?: number;
  readonly positions?: number;
  readonly onProgress?: (what: string) => void;
}

/** Of eight samples, these are kept from the fits: two that lie beside each other may be mirror images. */
const isHeldOut = (at: number): boolean => at % 8 >= 6;
/** Errors of this size, as shares of a variance, say nothing. */
const NEGLIGIBLE_ERROR = 1e-4;

/**
 * What the channels of each chain cost when they go one after the other: the rise of the squared error of what `last` makes
 * (`eliminateGroups`), times how far that moves the model's outputs. The latter is measured once for each chain, without half of its channels, on
 * samples that nothing was fitted to: equal errors inside weigh very differently at the outputs, and wide convolutions are fitted less
 * well than the samples of the fit say.
 * @throws CompilerError `unsupported` where no channels are free to go; what `runTogether` throws
 */
export async function priceChains(float: Model, given: PriceChainsOptions): Promise<PricedChain[]> {
  const options = { ...FIT_CONV_DEFAULTS, ...given };
  const chains = convChains(float);
  if (chains.length === 0)
    throw new CompilerError('unsupported', 'pruneChannels: no channels are free to go', {
      hint: 'run compactConvNet() first; channels that meet an Add, a Concat or an output stay',
    });
  const { samples } = options;
  const held = samples.filter((_, at) => isHeldOut(at));
  const fitted = held.length > 0 ? samples.filter((_, at) => !isHeldOut(at)) : samples;
  const summed = await sumChains(float, chains, { ...options, samples: fitted });
  const outputError = await OutputError.of(float, { ...options, samples: held.length > 0 ? held : samples });
  const priced: PricedChain[] = [];
  for (const [at, { conv, sums }] of summed.entries()) {
    const chain = chains[at]!;
    options.onProgress?.(chain.last.outputs[0] ?? '');
    const solve = (remove: number): FittedProjection => solveConv(conv, sums, remove, options.pull);
    const half = CHANNEL_MULTIPLE * Math.ceil(chain.channels / (2 * CHANNEL_MULTIPLE));
    const fit = solve(chain.channels - half);
    const error = fit.costs.reduce((sum, cost) => sum + cost, 0) / sums.variance;
    const effect = await outputError.measure(await withFit(float, chain, fit));
    const weight = (effect + NEGLIGIBLE_ERROR) / (error + NEGLIGIBLE_ERROR) / sums.variance;
    priced.push({ ...chain, costs: solve(chain.channels - 1).costs.map((cost) => weight * cost) });
  }
  return priced;
}

/** The model with fewer channels in one chain, and what reads them fitted. */
async function withFit(
  float: Model,
  { first, last }: ConvChain,
  { keep, weight, bias }: FittedProjection,
): Promise<Model> {
  const [made = '', value = ''] = [...first.outputs, ...last.outputs];
  const { model } = await runPasses(float, [
    removeChannels({ value: made, keep }),
    refitConv({ value, weight, bias }),
  ]);
  return model;
}

/** The sums of each chain's `last`, all in one run of the samples. */
async function sumChains(
  float: Model,
  chains: readonly ConvChain[],
  options: CalibrationData & { readonly positions: number },
): Promise<{ readonly conv: PatchedConv; readonly sums: ConvSums }[]> {
  const outputs = chains.map(({ last }) => last.outputs[0] ?? '');
  const summed = outputs.map((output) => {
    const conv = new PatchedConv(float, output);
    return { conv, sums: new ConvSums(conv) };
  });
  const values = [...new Set(summed.flatMap(({ conv: { read, made } }) => [...read, ...made]))];
  await runTogether([{ model: withSums(float, outputs), values }], options, ([found = []]) => {
    const take = (names: readonly string[]): Float32Array[] =>
      names.map((name) => found[values.indexOf(name)]!);
    for (const { conv, sums } of summed) sums.add(take(conv.made), take(conv.read), options.positions);
  });
  return summed;
}
