export { CHOOSE_MAX_TOKENS_DEFAULTS, chooseMaxTokens, shareCut } from './length/choose-max-tokens.ts';
export type { ChooseMaxTokensOptions, MaxTokens, SlowText } from './length/choose-max-tokens.ts';
export { curveLengths, LENGTH_STEP, timeAt } from './length/latency-curve.ts';
export type { LatencyPoint } from './length/latency-curve.ts';
export { chooseLayers } from './encoders/choose-layers.ts';
export type { ChooseLayersOptions } from './encoders/choose-layers.ts';
export { mirrorSample } from './channels/mirror-sample.ts';
export type { PricedChain } from './channels/allocate-channels.ts';
export { priceChains } from './channels/price-chains.ts';
export type { PriceChainsOptions } from './channels/price-chains.ts';
export { PRUNE_ENCODER_DEFAULTS, pruneEncoder } from './encoders/prune-encoder.ts';
export type {
  EncoderShares,
  PrunedEncoder,
  PrunedLayer,
  PruneEncoderOptions,
} from './encoders/prune-encoder.ts';
export { PRUNE_CHANNELS_DEFAULTS, pruneChannels } from './channels/prune-channels.ts';
export type { PruneChannelsOptions, PrunedConv, PrunedConvNet } from './channels/prune-channels.ts';
export { pruneHeads } from './encoders/prune-heads.ts';
export type { PruneHeadsOptions } from './encoders/prune-heads.ts';
export { pruneNeurons } from './encoders/prune-neurons.ts';
export type { PruneNeuronsOptions } from './encoders/prune-neurons.ts';
export { pruneVocabulary } from './prune-vocabulary.ts';
export type { PruneVocabularyOptions } from './prune-vocabulary.ts';
export { refitConv } from './channels/refit-conv.ts';
export type { RefitConvOptions } from './channels/refit-conv.ts';
export { refitProjection } from './encoders/refit-projection.ts';
export type { RefitProjectionOptions } from './encoders/refit-projection.ts';
export { removeChannels } from './channels/remove-channels.ts';
export type { RemoveChannelsOptions } from './channels/remove-channels.ts';
export { removeLayers } from './encoders/remove-layers.ts';
export type { RemoveLayersOptions } from './encoders/remove-layers.ts';
export type { CalibrationData, OpenedModel, OpenModel } from './run-together.ts';
export { CHOOSE_VOCABULARY_DEFAULTS, chooseVocabulary, countTokens } from './tokenizer/choose-vocabulary.ts';
export type { ChooseVocabularyOptions, Vocabulary } from './tokenizer/choose-vocabulary.ts';
export { measureFallback } from './tokenizer/measure-fallback.ts';
export type { Fallback, MeasureFallbackOptions } from './tokenizer/measure-fallback.ts';
export { renumberConfig, restrictTokenizer } from './tokenizer/restrict-tokenizer.ts';
export type { TokenIds } from './tokenizer/token-model.ts';
