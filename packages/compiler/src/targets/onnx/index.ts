export { EXPAND_EDGEWISE_DEFAULTS, expandEdgewise } from './expand-edgewise.ts';
export type { ExpandEdgewiseOptions } from './expand-edgewise.ts';
export { writeOnnxPackage } from './write-onnx-package.ts';
export type { OnnxPackageParts } from './write-onnx-package.ts';
