import type { Graph } from '../ir/index.ts';
import {
  capturedNames,
  defineTransform,
  GraphIndex,
  LOSSLESS,
  subgraphsOf,
  type Transform,
} from '../rewrite/index.ts';

/**
 * Removes nodes whose outputs nothing reads, and initializers that nothing reads unless they are defaults of inputs; in
 * subgraphs too. Graph inputs stay: they are the model's signature.
 */
export function removeDeadCode(): Transform {
  return defineTransform({
    name: 'removeDeadCode',
    description: 'drop nodes and constants that no output needs',
    tolerance: LOSSLESS,
    apply: ({ graph }) => ({ edits: sweep(graph) }),
  });
}

/** Returns how many nodes and constants went. */
function sweep(graph: Graph): number {
  // Subgraphs first: what only their dead code reads is dead outside.
  let removed = graph.nodes.flatMap(subgraphsOf).reduce((sum, inner) => sum + sweep(inner), 0);
  const index = new GraphIndex(graph);
  for (const node of graph.nodes.toReversed()) {
    if (!index.has(node) || node.outputs.some((output) => index.useCount(output) > 0)) continue;
    index.apply({ reason: 'no output is read', remove: [node] });
    removed++;
  }
  index.commit();
  const read = new Set([
    ...graph.nodes.flatMap((node) => [...node.inputs, ...capturedNames(node)]),
    ...graph.outputs.map(({ name }) => name),
    ...graph.inputs.map(({ name }) => name),
  ]);
  for (const name of graph.initializers.keys()) {
    if (read.has(name)) continue;
    graph.initializers.delete(name);
    removed++;
  }
  return removed;
}
