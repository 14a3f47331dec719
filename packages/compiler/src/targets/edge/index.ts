export { compileActivations } from './compile-activations.ts';
export { compileEdge } from './compile-edge.ts';
export type { CompileEdgeOptions, EdgeArtifact } from './compile-edge.ts';
export { listUnsupported } from './lower.ts';
