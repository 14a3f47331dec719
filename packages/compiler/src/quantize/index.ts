export { frontEndLayers } from './linears/front-end-layers.ts';
export { EQUALIZE_LAYERS_DEFAULTS, equalizeLayers } from './conv-nets/equalize-layers.ts';
export type { EqualizeLayersOptions } from './conv-nets/equalize-layers.ts';
export { activationGrid } from './grids/activation-grid.ts';
export type { ActivationGrid, ValueRange } from './grids/activation-grid.ts';
export type { ActivationRange } from './ranges/activation-range.ts';
export { calibrate, linearInputs, observeActivations } from './statistics/calibrate.ts';
export type {
  ActivationRunner,
  ActivationStatistics,
  CalibrateOptions,
  ObserveActivationsOptions,
  Sample,
  Samples,
} from './statistics/calibrate.ts';
export type { WeightRange } from './weights/choose-scale.ts';
export { entropyObserver, mseObserver, percentileObserver } from './ranges/histogram-observers.ts';
export type { PercentileObserverOptions } from './ranges/histogram-observers.ts';
export type { LayerEffect } from './layer-effect.ts';
export { measureSensitivity } from './compare/measure-sensitivity.ts';
export type { LayerSensitivity, MeasureSensitivityOptions } from './compare/measure-sensitivity.ts';
export { minMaxObserver } from './ranges/observer.ts';
export type { Observer, ObserverFactory } from './ranges/observer.ts';
export { QUANTIZE_EMBEDDINGS_DEFAULTS, quantizeEmbeddings } from './linears/quantize-embeddings.ts';
export type { QuantizeEmbeddingsOptions } from './linears/quantize-embeddings.ts';
export type { LinearLayerOptions } from './linears/quantize-linear-layers.ts';
export { QUANTIZE_LINEARS_DEFAULTS, quantizeLinears } from './linears/quantize-linears.ts';
export type { QuantizeLinearsOptions } from './linears/quantize-linears.ts';
export { QUANTIZE_WEIGHTS_INT4_DEFAULTS, quantizeWeightsInt4 } from './linears/quantize-weights-int4.ts';
export type { QuantizeWeightsInt4Options } from './linears/quantize-weights-int4.ts';
export { followFloat } from './compare/follow-float.ts';
export type { FollowFloatOptions, FollowReport } from './compare/follow-float.ts';
export { followedOutputs } from './compare/followed-outputs.ts';
export type { FollowedValue } from './compare/followed-value.ts';
export { fuseQuantized } from './conv-nets/fuse-quantized.ts';
export { compactQuantizedNet, isQuantizedNet } from './conv-nets/compact-quantized-net.ts';
export { unsignedActivations } from './conv-nets/unsigned-activations.ts';
export { convNetValues, observeConvNet } from './conv-nets/observe-conv-net.ts';
export { QUANTIZE_CONV_NET_DEFAULTS, quantizeConvNet } from './conv-nets/quantize-conv-net.ts';
export type { QuantizeConvNetOptions } from './conv-nets/quantize-conv-net.ts';
export { SMOOTH_LINEARS_DEFAULTS, smoothLinears } from './linears/smooth-linears.ts';
export type { SmoothingEffect, SmoothLinearsOptions } from './linears/smooth-linears.ts';
export { FeatureExtremes } from './statistics/feature-extremes.ts';
export { SecondMoments } from './statistics/second-moments.ts';
export { separateActivations } from './conv-nets/separate-activations.ts';
export { LOSSY } from './lossy.ts';
export { quantizeLstms, type QuantizeLstmsOptions } from './linears/quantize-lstms.ts';
export { ValueStatistics } from './statistics/value-statistics.ts';
export type { ConvNetStatistics } from './statistics/value-statistics.ts';
