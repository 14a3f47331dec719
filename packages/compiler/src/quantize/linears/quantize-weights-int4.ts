import { CompilerError } from '../../diagnostics/index.ts';
import { denseTensor, typedData } from '../../ir/index.ts';
import { defineTransform, type Transform } from '../../rewrite/index.ts';
import { LOSSY } from '../lossy.ts';
import { INT4_BLOCK_SIZE, quantizeColumnsInt4 } from '../weights/quantize-columns-int4.ts';
import { dampedMoments, factorOf, keepLast } from '../weights/unit-factor.ts';
import {
  checkLinearLayerOptions,
  quantizeLinearLayers,
  type LinearLayerOptions,
} from './quantize-linear-layers.ts';

export interface QuantizeWeightsInt4Options extends LinearLayerOptions {
  /** 4: values in [-8,7]; 3: in [-4,3], stored in 4 bits all the same, of which compression takes one away. Default 4. */
  readonly weightBits?: 3 | 4;
  /** Bits that the expanded weights fit in, for the kernels: 7 or 8. Default 7. */
  readonly computeBits?: 7 | 8;
  /** Weights that share a multiplier. Only 32 so far: the operator fixes it. */
  readonly blockSize?: 32;
}

export const QUANTIZE_WEIGHTS_INT4_DEFAULTS: Required<
  Pick<QuantizeWeightsInt4Options, 'weightBits' | 'computeBits' | 'blockSize' | 'activations'>
> = {
  weightBits: 4,
  computeBits: 7,
  blockSize: INT4_BLOCK_SIZE,
  activations: 'dynamic',
};

/**
 * Stores the weights of `Linear` layers in 4 bits with a whole-number multiplier per block of 32, one scale per output
 * channel: q = q4 · multiplier is an ordinary int8 weight, so the kernels are those of `quantizeLinears`.
 * About 4.25 bits per weight; weight SQNR is about 21 dB where 7 bits have 36, and 15 with 3 bits, which want `moments` (docs/quantization.md).
 * @throws CompilerError `bad-option` for other bits or block sizes, or static activations without ranges.
 */
export function quantizeWeightsInt4(options: QuantizeWeightsInt4Options = {}): Transform {
  const { weightBits, computeBits, blockSize, ...layers } = { ...QUANTIZE_WEIGHTS_INT4_DEFAULTS, ...options };
  if (weightBits !== 3 && weightBits !== 4)
    throw new CompilerError(
      'bad-option',
      `quantizeWeightsInt4: weightBits must be 3 or 4, got ${String(weightBits)}`,
      { hint: 'quantizeLinears has 7 and 8' },
    );
  if (computeBits !== 7 && computeBits !== 8)
    throw new CompilerError(
      'bad-option',
      `quantizeWeightsInt4: computeBits must be 7 or 8, got ${String(computeBits)}`,
    );
  if (blockSize !== INT4_BLOCK_SIZE)
    throw new CompilerError(
      'bad-option',
      `quantizeWeightsInt4: blockSize must be 32, got ${String(blockSize)}`,
    );
  checkLinearLayerOptions('quantizeWeightsInt4', layers);
  const lastMoments = keepLast((moments) => ({
    factor: factorOf(moments),
    matrix: dampedMoments(moments),
  }));
  return defineTransform({
    name: 'quantizeWeightsInt4',
    description: `${weightBits}-bit weights with a multiplier per block of 32 for Linear layers`,
    tolerance: LOSSY,
    apply: (model) =>
      quantizeLinearLayers(
        model,
        {
          bits: weightBits,
          method: `int${weightBits} blocks of ${blockSize}, ${computeBits}-bit compute`,
          quantize: ({ weight, moments }) => {
            const [rows = 0, columns = 0] = weight.dims;
            const { data, multiplier, scale, error } = quantizeColumnsInt4(typedData(weight), rows, columns, {
              weightBits,
              computeBits,
              importance: moments?.meanSquares(),
              moments: moments && lastMoments(moments),
            });
            return {
              weight: denseTensor('int4', [rows, columns], data),
              scale,
              multiplier: denseTensor('uint8', [Math.ceil(rows / blockSize), columns], multiplier),
              error,
            };
          },
        },
        layers,
      ),
  });
}
