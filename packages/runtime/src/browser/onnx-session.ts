export { createOnnxSession } from '../session/onnx-session.ts';
export { onnxPlatform } from './onnx-platform.ts';
