import { CompilerError } from '../../diagnostics/index.ts';
import { denseTensor, typedData } from '../../ir/index.ts';
import { defineTransform, type Transform } from '../../rewrite/index.ts';
import type { WeightRange } from '../weights/choose-scale.ts';
import { WEIGHT_GRIDS } from '../grids/integer-grid.ts';
import { fitPairs, settlePairs } from '../weights/fit-pairs.ts';
import { LOSSY } from '../lossy.ts';
import { errorOfWeight } from '../grids/quantization-error.ts';
import { quantizeColumns } from '../weights/quantize-columns.ts';
import {
  checkLinearLayerOptions,
  quantizeLinearLayers,
  type LinearLayerOptions,
} from './quantize-linear-layers.ts';
import { roundColumns } from '../weights/round-second-order.ts';
import { factorOf, keepLast } from '../weights/unit-factor.ts';

export interface QuantizeLinearsOptions extends LinearLayerOptions {
  /** 7: the quickest on every CPU. 8: nearly twice as fine, such that CPUs without VNNI can add neighbouring products in 16 bits (fitPairs). Default 7. */
  readonly weightBits?: 7 | 8;
  /** How each output channel's scale is chosen. Default mse. */
  readonly weightRange?: WeightRange;
}

export const QUANTIZE_LINEARS_DEFAULTS: Required<
  Pick<QuantizeLinearsOptions, 'weightBits' | 'weightRange' | 'activations'>
> = {
  weightBits: 7,
  weightRange: 'mse',
  activations: 'dynamic',
};

/**
 * Turns `Linear` layers into `QuantizedLinear`: int8 weights with one symmetric scale per output channel, 8-bit activations.
 *
 * ```ts
 * const layers: LayerEffect[] = [];
 * const { model } = await runPasses(float, [quantizeLinears({ weightBits: 7, onLayer: (l) => layers.push(l) })]);
 * ```
 * Static activations take their ranges from `calibrate`. Run it after the encoder recipe: it looks for
 * `Linear` of the edgewise domain only. Weights that are not constant float32 matrices stay as they are.
 * @throws CompilerError `bad-option` for other bits or static activations without ranges.
 */
export function quantizeLinears(options: QuantizeLinearsOptions = {}): Transform {
  const { weightBits: bits, weightRange: range, ...layers } = { ...QUANTIZE_LINEARS_DEFAULTS, ...options };
  if (bits !== 7 && bits !== 8)
    throw new CompilerError('bad-option', `quantizeLinears: weightBits must be 7 or 8, got ${String(bits)}`, {
      hint: 'for weights stored in 4 bits use quantizeWeightsInt4',
    });
  checkLinearLayerOptions('quantizeLinears', layers);
  const lastFactor = keepLast(factorOf);
  return defineTransform({
    name: 'quantizeLinears',
    description: 'int8 weights per output channel and 8-bit activations for Linear layers',
    tolerance: LOSSY,
    apply: (model) =>
      quantizeLinearLayers(
        model,
        {
          bits,
          method: `per channel, ${range}`,
          quantize: ({ weight, moments }) => {
            const found = quantizeColumns(weight, { bits, range });
            const { scale } = found;
            const isFinite = !Number.isNaN(found.error.sqnrDb);
            const isPaired = bits === 8 && isFinite;
            if (!isPaired && !(moments && isFinite))
              return { weight: denseTensor('int8', weight.dims, found.values), scale, error: found.error };
            // Often a copy: a file's tensors are not aligned.
            const floats = typedData(weight);
            if (isPaired) fitPairs({ floats, values: found.values, scale, taps: 1 });
            const { values, error } =
              moments && isFinite
                ? roundColumns(floats, scale, WEIGHT_GRIDS[bits], lastFactor(moments))
                : found;
            if (isPaired) settlePairs({ floats, values, scale, taps: 1 });
            return {
              weight: denseTensor('int8', weight.dims, values),
              scale,
              error: isPaired ? errorOfWeight(floats, values, scale, error.clippedShare) : error,
            };
          },
        },
        layers,
      ),
  });
}
