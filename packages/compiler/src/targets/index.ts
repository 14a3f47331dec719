export * from './edge/index.ts';
export * from './onnx/index.ts';
export { buildPackage } from './package.ts';
export type { PackageDescription, PackageParts } from './package.ts';
