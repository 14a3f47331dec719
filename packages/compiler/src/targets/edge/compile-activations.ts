import type { FileContent } from '@edgewise/runtime/format';
import { cloneModel, type Model } from '../../ir/index.ts';
import { removeDeadCode } from '../../transforms/remove-dead-code.ts';
import { compileForNode, type CompileEdgeOptions, type EdgeArtifact } from './compile-edge.ts';

/**
 * Compiles a compact graph to a program whose outputs are these values inside it: what calibration looks at, at the
 * engine's speed (`observeActivations` takes a runner). The weights are made while they are read, so that they are not held besides the model's
 * and the engine's. Node runs it faster than a browser does.
 *
 * @throws CompilerError `unsupported` with every reason when the engine cannot run the model.
 */
export function compileActivations(
  model: Model,
  values: readonly string[],
  options: CompileEdgeOptions,
): EdgeArtifact<FileContent> {
  const tapped = cloneModel(model);
  tapped.graph.outputs = values.map((name) => ({ name }));
  // What comes after the values is not computed.
  removeDeadCode().apply(tapped);
  return compileForNode(tapped, options);
}
