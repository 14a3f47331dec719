import { cloneModel, type Model } from '../../ir/index.ts';
import { removeDeadCode } from '../../transforms/remove-dead-code.ts';
import { compileEdge, type CompileEdgeOptions, type EdgeArtifact } from './compile-edge.ts';

/**
 * Compiles a compact graph to a program whose outputs are these values inside it: what calibration looks at, at the
 * engine's speed (`observeActivations` takes a runner).
 *
 * @throws CompilerError `unsupported` with every reason when the engine cannot run the model.
 */
export function compileActivations(
  model: Model,
  values: readonly string[],
  options: CompileEdgeOptions,
): EdgeArtifact {
  const tapped = cloneModel(model);
  tapped.graph.outputs = values.map((name) => ({ name }));
  // What comes after the values is not computed.
  removeDeadCode().apply(tapped);
  return compileEdge(tapped, options);
}
