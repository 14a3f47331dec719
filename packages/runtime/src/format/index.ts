export * from './audio/audio-input.ts';
export { validateAudioManifest, type AudioManifest } from './audio/check-audio-manifest.ts';
export * from './audio/streaming.ts';
export { validateImageManifest, type ImageManifest } from './image/check-image-manifest.ts';
export * from './image/detection-head.ts';
export * from './image/preprocessing.ts';
export * from './manifest.ts';
export { memoryBytes, memoryPages, PAGE_BYTES } from './memory-bytes.ts';
export { readManifest, validateManifest } from './read-manifest.ts';
