export * from './manifest.ts';
export { memoryBytes, memoryPages, PAGE_BYTES } from './memory-bytes.ts';
export { readManifest, validateManifest } from './read-manifest.ts';
