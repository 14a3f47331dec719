import { CompilerError } from '../../diagnostics/index.ts';
import type { Model } from '../../ir/index.ts';
import { costNodes, inferTypes } from '../../ops/index.ts';
import type { ConvChain } from './conv-chains.ts';

/** The engine's kernels compute eight columns at a time. */
export const CHANNEL_MULTIPLE = 8;

/** A chain with what its channels are worth. */
export interface PricedChain extends ConvChain {
  /** What each next channel to go costs (`priceChains`). */
  readonly costs: readonly number[];
}

export interface Allocation {
  /** Channels that each chain keeps. */
  readonly kept: readonly number[];
  /** Share of the model's multiply-accumulates that stays. */
  readonly macs: number;
}

/**
 * How many channels each chain keeps so that the model has at most this share of its multiply-accumulates: eight channels go at a time, from
 * the chain where they cost least for each multiply-accumulate saved; what is saved beyond the limit is worth nothing.
 * @throws CompilerError `bad-option` where that many are not free to go.
 */
export function allocateChannels(model: Model, chains: readonly PricedChain[], share: number): Allocation {
  const kept = chains.map(({ channels }) => channels);
  const counter = new MacCounter(model, chains);
  const all = counter.count(kept);
  const limit = share * all;
  for (let macs = counter.count(kept); macs > limit; macs = counter.count(kept)) {
    const steps = chains.flatMap(({ costs, channels }, chain) => {
      const left = CHANNEL_MULTIPLE * (Math.ceil(kept[chain]! / CHANNEL_MULTIPLE) - 1);
      if (left === 0) return [];
      const cost = costs.slice(channels - kept[chain]!, channels - left).reduce((sum, each) => sum + each, 0);
      const saved = macs - counter.count(kept.with(chain, left));
      return [{ chain, left, price: cost / Math.min(saved, macs - limit) }];
    });
    const [cheapest] = steps.toSorted((a, b) => a.price - b.price);
    if (cheapest === undefined)
      throw new CompilerError(
        'bad-option',
        `pruneChannels: ${((100 * macs) / all).toFixed(1)} % of the multiply-accumulates cannot go`,
        { hint: 'channels that meet an Add or a Concat stay; ask for a larger share' },
      );
    kept[cheapest.chain] = cheapest.left;
  }
  return { kept, macs: counter.count(kept) / all };
}

/** Multiply-accumulates of a model by the number of channels that its chains keep. */
class MacCounter {
  readonly #chains: readonly ConvChain[];
  /** With the chains that a node's work is proportional to. */
  readonly #nodes: readonly { readonly macs: number; readonly chains: readonly number[] }[];

  constructor(model: Model, chains: readonly ConvChain[]) {
    this.#chains = chains;
    this.#nodes = costNodes(model, inferTypes(model), new Map()).map(({ node, macs }) => {
      const [name] = node.outputs;
      const isIn = ({ first, between, last }: ConvChain): boolean =>
        [first, ...between, last].some(({ outputs }) => outputs[0] === name);
      return { macs: macs ?? 0, chains: [...chains.keys()].filter((chain) => isIn(chains[chain]!)) };
    });
  }

  count(kept: readonly number[]): number {
    const shareOf = (chain: number): number => kept[chain]! / this.#chains[chain]!.channels;
    return this.#nodes.reduce(
      (sum, { macs, chains }) => sum + chains.reduce((product, chain) => product * shareOf(chain), macs),
      0,
    );
  }
}
