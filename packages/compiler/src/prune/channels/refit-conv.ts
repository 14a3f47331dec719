import { CompilerError } from '../../diagnostics/index.ts';
import { float32Tensor } from '../../ir/index.ts';
import { LOSSY } from '../../quantize/index.ts';
import { defineTransform, type Transform } from '../../rewrite/index.ts';
import { convWeight } from './conv-chains.ts';
import { editConvs, withWeight } from './edit-conv.ts';

export interface RefitConvOptions {
  /** Output of the convolution. */
  readonly value: string;
  /** As the convolution's [M,C,…], and [M]. */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/**
 * Gives a convolution another weight, which `pruneChannels` fits to calibration data.
 * @throws CompilerError `bad-option` for a value that is no convolution's or a weight of another size.
 */
export function refitConv({ value, weight, bias }: RefitConvOptions): Transform {
  return defineTransform({
    name: 'refitConv',
    description: 'fit a convolution to what the model did before it was pruned',
    tolerance: LOSSY,
    apply: (model) =>
      editConvs(model, (index) => {
        const node = index.producer(value);
        const now = node && convWeight(node, index);
        if (node === undefined || now?.data.byteLength !== weight.byteLength || bias.length !== now.dims[0])
          throw new CompilerError(
            'bad-option',
            `refitConv: '${value}' takes a weight of ${now?.dims.join('×') ?? 'nothing'}, got ${weight.length} numbers`,
            { at: { value } },
          );
        const changed = withWeight(node, float32Tensor(now.dims, weight), bias, index);
        return {
          reason: 'refitted',
          remove: [node],
          add: [changed.node],
          initializers: new Map(changed.initializers),
        };
      }),
  });
}
