export {
  attentionScratchBytes,
  emitAttention,
  emitKeyBias,
  emitPackKeys,
  emitPackValues,
  keyBiasBytes,
  packedKeysBytes,
  packedValuesBytes,
  type AttentionSpec,
  type HeadsSpec,
  type PackSpec,
} from './attention.ts';
export { BARRIER_BYTES, emitBarrier } from './barrier.ts';
export {
  emitActivateRows,
  emitBinaryRows,
  type ActivateRowsSpec,
  type BinaryOperator,
  type BinaryRowsSpec,
  type ElementwiseSpec,
} from './elementwise.ts';
export {
  emitEmbedLayerNorm,
  tableRowBytes,
  type EmbedLayerNormSpec,
  type TableSpec,
} from './embed-layer-norm.ts';
export { emitExpandInt4 } from './expand-int4.ts';
export type { Activation, NamedActivation } from './finish-panel.ts';
export { emitConvF32, convF32ScratchBytes, type ConvF32Spec } from './conv-f32.ts';
export {
  emitDepthwiseF32,
  depthwiseF32ScratchBytes,
  packDepthwiseF32,
  type DepthwiseF32Spec,
} from './depthwise-f32.ts';
export { emitMaxPoolRows, type MaxPoolRowsSpec } from './max-pool-rows.ts';
export {
  BROWSER_TILE,
  KERNEL_CONSTANTS_BYTES,
  KernelLibrary,
  MODE,
  NODE_TILE,
  type FloatTileSize,
  type KernelLibraryOptions,
  type Rung,
} from './kernel-library.ts';
export { emitLayerNorm, type LayerNormSpec } from './layer-norm.ts';
export { emitLinearF32, type LinearF32Spec } from './linear-f32.ts';
export { emitLinearInt8, linearInt8ScratchBytes, type LinearInt8Spec } from './linear-int8.ts';
export { emitFloatVector, type FloatVectorSpec } from './float-vector.ts';
export { emitGru, GRU_GATES, gruScratchBytes, type GruSpec } from './gru.ts';
export { emitLstm, gateColumns, LSTM_GATES, lstmScratchBytes, packGates, type LstmSpec } from './lstm.ts';
export { int8PanelBytes, packInt8, type Int8PanelFacts } from './pack-int8.ts';
export { kernelMatrix, packFloatWeights, packInt4Weights, packMultipliers } from './pack-weights.ts';
export { pairFlagWords, pairFormOf, type PairForm } from './pair-flags.ts';
export { emitProbe } from './probe.ts';
export { quantizedRowBytes, type ActivationQuantization } from './quantize-row.ts';
export { emitQuantizeRows, type QuantizeRowsSpec } from './quantize-rows.ts';
export { emitReduceRows, type ReduceRowsSpec, type Reduction } from './reduce-rows.ts';
export { emitRepeated, type RepeatedSpec } from './repeated.ts';
export { tileHeights, type RowCounts } from './row-tiles.ts';
export { emitArgRows, type ArgRowsSpec } from './arg-rows.ts';
export { emitGatherElements, type GatherElementsSpec } from './gather-elements.ts';
export { emitMapIndices, type IndexMap, type MapIndicesSpec } from './map-indices.ts';
export { emitGatherRows, type GatherRowsSpec } from './gather-rows.ts';
export { emitSuppressBoxes, suppressScratchBytes, type SuppressBoxesSpec } from './suppress-boxes.ts';
export { emitTopKRows, topKScratchBytes, type TopKRowsSpec } from './top-k-rows.ts';
export { emitSoftmaxRows, type SoftmaxRowsSpec } from './softmax-rows.ts';
export { emitAveragePool, type AveragePoolSpec } from './average-pool.ts';
export { emitBinaryBytes, type BinaryBytesSpec } from './binary-bytes.ts';
export { averageMultiplier, emitAverageBytes, type AverageBytesSpec } from './average-bytes.ts';
export { COPY_TABLE_BYTES, emitCopyElements, type CopyElementsSpec, type CopyLoop } from './copy-elements.ts';
export { emitDequantizeRows, type DequantizeSpec } from './dequantize-rows.ts';
export { emitFillRows, type FillRowsSpec } from './fill-rows.ts';
export { emitMaxPoolBytes, type MaxPoolBytesSpec } from './max-pool-bytes.ts';
export { emitQuantizeFloats, type QuantizeFloatsSpec } from './quantize-floats.ts';
export { emitResizeLinear, packTaps, type LinearTap, type ResizeLinearSpec } from './resize-linear.ts';
export { emitResizeTaps, packManyTaps, type ResizeTapsSpec, type Taps } from './resize-taps.ts';
export { emitQuantizeImage, type QuantizeImageSpec } from './quantize-image.ts';
export { BYTE_LIMITS_BYTES, ROUNDABLE, type ByteGrid } from './requantize.ts';
export { convInt8ScratchBytes, emitConvInt8, type ConvInt8Spec } from './conv-int8.ts';
export {
  depthwiseInt8ScratchBytes,
  emitDepthwiseInt8,
  packDepthwiseWeights,
  type DepthwiseInt8Spec,
} from './depthwise-int8.ts';
export { patchBytes, type ByteWindowSpec, type WindowSpec } from './gather-patches.ts';
export { emitWinogradF32, winogradF32ScratchBytes, type WinogradF32Spec } from './winograd-f32.ts';
export {
  emitWinogradInt8,
  fitsWinograd,
  winogradInt8ScratchBytes,
  type WinogradInt8Spec,
} from './winograd-int8.ts';
export { suitsWinograd, tileRowPixels } from './winograd.ts';
