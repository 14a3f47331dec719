import { CompilerError } from '../../diagnostics/index.ts';
import { LOSSY } from '../../quantize/index.ts';
import { defineTransform, type Transform } from '../../rewrite/index.ts';
import { convChains, isDepthwise } from './conv-chains.ts';
import { editConvs, takeChannels, takeFilters } from './edit-conv.ts';
import { checkKept } from '../check-kept.ts';

export interface RemoveChannelsOptions {
  /** Output of the convolution that makes them. */
  readonly value: string;
  /** Channels that stay, ascending. */
  readonly keep: readonly number[];
}

/**
 * Removes channels between two convolutions: filters of the first, of depthwise convolutions between, and what the second reads.
 * `pruneChannels` finds which ones.
 * @throws CompilerError `bad-option` for a value whose channels are not free to go (`convChains`), or channels that are not there.
 */
export function removeChannels({ value, keep }: RemoveChannelsOptions): Transform {
  return defineTransform({
    name: 'removeChannels',
    description: 'remove channels between convolutions',
    tolerance: LOSSY,
    apply: (model) =>
      editConvs(model, (index) => {
        const chain = convChains(model, index).find(({ first }) => first.outputs[0] === value);
        if (chain === undefined)
          throw new CompilerError(
            'bad-option',
            `removeChannels: the channels of '${value}' cannot be removed`,
            {
              at: { value },
              hint: 'name the output of a convolution that only another convolution reads, after compactConvNet()',
            },
          );
        const { first, between, last, channels } = chain;
        checkKept('removeChannels', 'channels', keep, channels);
        if (keep.length === channels) return undefined;
        const changed = [
          ...[first, ...between.filter((node) => isDepthwise(node, index))].map((node) =>
            takeFilters(node, keep, index),
          ),
          takeChannels(last, keep, index),
        ];
        const unchanged = between.filter((node) => !isDepthwise(node, index));
        return {
          reason: `${keep.length} of ${channels} channels`,
          remove: [first, ...between, last],
          add: [...changed.map(({ node }) => node), ...unchanged],
          initializers: new Map(changed.flatMap(({ initializers }) => initializers)),
        };
      }),
  });
}
