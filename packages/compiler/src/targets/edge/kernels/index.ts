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
  emitAddRows,
  type ActivateRowsSpec,
  type AddRowsSpec,
  type ElementwiseSpec,
} from './elementwise.ts';
export {
  emitEmbedLayerNorm,
  tableRowBytes,
  type EmbedLayerNormSpec,
  type TableSpec,
} from './embed-layer-norm.ts';
export { emitExpandInt4 } from './expand-int4.ts';
export type { Activation } from './finish-panel.ts';
export {
  KERNEL_CONSTANTS_BYTES,
  KernelLibrary,
  MODE,
  type KernelLibraryOptions,
  type Rung,
} from './kernel-library.ts';
export { emitLayerNorm, type LayerNormSpec } from './layer-norm.ts';
export { emitLinearF32, type LinearF32Spec } from './linear-f32.ts';
export { emitLinearInt8, linearInt8ScratchBytes, type LinearInt8Spec } from './linear-int8.ts';
export { int8PanelBytes, packInt8, type Int8PanelFacts } from './pack-int8.ts';
export { packFloatWeights, packInt4Weights, packMultipliers } from './pack-weights.ts';
export { pairFlagWords } from './pair-flags.ts';
export { emitProbe } from './probe.ts';
export { quantizedRowBytes, type ActivationQuantization } from './quantize-row.ts';
export { emitQuantizeRows, type QuantizeRowsSpec } from './quantize-rows.ts';
export { emitSoftmaxRows } from './softmax-rows.ts';
