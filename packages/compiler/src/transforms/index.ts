export { fuseAddLayerNorm } from './fuse-add-layer-norm.ts';
export { fuseAttention } from './fuse-attention.ts';
export { fuseEmbedLayerNorm } from './fuse-embed-layer-norm.ts';
export { fuseGelu } from './fuse-gelu.ts';
export { fuseLayerNorm } from './fuse-layer-norm.ts';
export { fuseLinear } from './fuse-linear.ts';
export { compactEncoder } from './recipes.ts';
export { removeDeadCode } from './remove-dead-code.ts';
