export { compileActivations } from './compile-activations.ts';
export { compileEdge } from './compile-edge.ts';
export type { CompileEdgeOptions, EdgeArtifact } from './compile-edge.ts';
export { ENGINE_OPERATORS, listUnsupported } from './lower/lower.ts';
