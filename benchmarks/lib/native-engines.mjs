// What native.mjs and its child call the engines.
export const NATIVE = 'onnxruntime-node';
export const NODE = 'edgewise in Node';
export const CHROMIUM = 'edgewise in Chromium';
export const TOKENS = 128;
