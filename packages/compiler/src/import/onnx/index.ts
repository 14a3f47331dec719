export { externalDataFrom } from './external-data.ts';
export type { ExternalData } from './external-data.ts';
export { readOnnx } from './read-onnx.ts';
export type { ReadOnnxOptions } from './read-onnx.ts';
export { writeOnnx } from './write-onnx.ts';
export type { OnnxFile, WriteOnnxOptions } from './write-onnx.ts';
