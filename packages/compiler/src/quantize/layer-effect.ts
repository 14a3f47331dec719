import type { WeightBits } from './grids/integer-grid.ts';
import type { QuantizationError } from './grids/quantization-error.ts';

/** What quantization did to the weights of one layer. */
export interface LayerEffect extends QuantizationError {
  /** Name of the layer, as `keepFloat` takes it. */
  readonly layer: string;
  readonly operator: string;
  /** Name of the float weight that was quantized. */
  readonly weight: string;
  readonly bits: WeightBits;
  /** How scales were chosen: `per channel, mse`, … */
  readonly method: string;
  /** Absent for layers without activations to quantize. */
  readonly activations?: 'dynamic' | 'static';
  /** Share of the layer's output that the rounding of its weights is, 0 … 1, where samples have shown it. */
  readonly noise?: number;
}
