export { attention, type AttentionShape } from './attention.ts';
export { gru, type GruLayer } from './gru.ts';
export { floatState, int8State, lstm, type LstmLayer } from './lstm.ts';
export { embedLayerNorm, type EmbedInputs, type Table } from './embed-layer-norm.ts';
export {
  activate,
  addRows,
  binaryRows,
  layerNorm,
  linearF32,
  linearInt8,
  quantizeRows,
  softmaxRows,
  type FloatWeights,
  type Int8Weights,
  type Normalization,
  type QuantizedRows,
} from './rows.ts';
export {
  addBytes,
  averageBytes,
  averagePoolBytes,
  convBytes,
  dequantize,
  maxPoolBytes,
  multiplyBytes,
  quantize,
  quantizeImage,
  type ByteKernel,
  type ByteMap,
} from './byte-maps.ts';
export { copyElements } from './copy-elements.ts';
export { argRows, gatherElements, gatherRows, topKRows, type TopK } from './selection.ts';
export {
  averagePoolRows,
  convF32,
  maxPoolRows,
  reduceRows,
  resizeLinear,
  resizeTaps,
  type FloatKernel,
} from './float-maps.ts';
export { winogradF32 } from './winograd.ts';
