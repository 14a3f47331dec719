export { frontEndLayers } from './front-end-layers.ts';
export { EQUALIZE_LAYERS_DEFAULTS, equalizeLayers } from './equalize-layers.ts';
export type { EqualizeLayersOptions } from './equalize-layers.ts';
export { activationGrid } from './activation-grid.ts';
export type { ActivationGrid, ValueRange } from './activation-grid.ts';
export type { ActivationRange } from './activation-range.ts';
export { calibrate, linearInputs, observeActivations } from './calibrate.ts';
export type {
  ActivationRunner,
  ActivationStatistics,
  CalibrateOptions,
  Sample,
  Samples,
} from './calibrate.ts';
export type { WeightRange } from './choose-scale.ts';
export { entropyObserver, mseObserver, percentileObserver } from './histogram-observers.ts';
export type { PercentileObserverOptions } from './histogram-observers.ts';
export type { LayerEffect } from './layer-effect.ts';
export { measureSensitivity } from './measure-sensitivity.ts';
export type { LayerSensitivity, MeasureSensitivityOptions } from './measure-sensitivity.ts';
export { minMaxObserver } from './observer.ts';
export type { Observer, ObserverFactory } from './observer.ts';
export { QUANTIZE_EMBEDDINGS_DEFAULTS, quantizeEmbeddings } from './quantize-embeddings.ts';
export type { QuantizeEmbeddingsOptions } from './quantize-embeddings.ts';
export type { LinearLayerOptions } from './quantize-linear-layers.ts';
export { QUANTIZE_LINEARS_DEFAULTS, quantizeLinears } from './quantize-linears.ts';
export type { QuantizeLinearsOptions } from './quantize-linears.ts';
export { QUANTIZE_WEIGHTS_INT4_DEFAULTS, quantizeWeightsInt4 } from './quantize-weights-int4.ts';
export type { QuantizeWeightsInt4Options } from './quantize-weights-int4.ts';
export { followFloat } from './follow-float.ts';
export type { FollowFloatOptions, FollowReport } from './follow-float.ts';
export type { FollowedValue } from './followed-value.ts';
export { fuseQuantized } from './fuse-quantized.ts';
export { compactQuantizedNet, isQuantizedNet } from './compact-quantized-net.ts';
export { unsignedActivations } from './unsigned-activations.ts';
export { convNetValues, observeConvNet } from './observe-conv-net.ts';
export { QUANTIZE_CONV_NET_DEFAULTS, quantizeConvNet } from './quantize-conv-net.ts';
export type { QuantizeConvNetOptions } from './quantize-conv-net.ts';
export { SMOOTH_LINEARS_DEFAULTS, smoothLinears } from './smooth-linears.ts';
export type { SmoothingEffect, SmoothLinearsOptions } from './smooth-linears.ts';
export { FeatureExtremes } from './feature-extremes.ts';
export { SecondMoments } from './second-moments.ts';
export { separateActivations } from './separate-activations.ts';
export { LOSSY } from './lossy.ts';
export { quantizeLstms, type QuantizeLstmsOptions } from './quantize-lstms.ts';
export { ValueStatistics } from './value-statistics.ts';
export type { ConvNetStatistics } from './value-statistics.ts';
