import { defineTransform, GraphIndex, LOSSLESS, type Transform } from '../rewrite/index.ts';
import { capturedNames } from '../rewrite/index.ts';

/**
 * Removes nodes whose outputs nothing reads, and initializers that nothing reads unless they are defaults of inputs.
 * Graph inputs stay: they are the model's signature.
 */
export function removeDeadCode(): Transform {
  return defineTransform({
    name: 'removeDeadCode',
    description: 'drop nodes and constants that no output needs',
    tolerance: LOSSLESS,
    apply: ({ graph }) => {
      const index = new GraphIndex(graph);
      const dead = graph.nodes.toReversed().filter((node) => {
        const isDead = node.outputs.every((output) => index.useCount(output) === 0);
        if (isDead) index.apply({ reason: 'no output is read', remove: [node] });
        return isDead;
      });
      index.commit();
      const read = new Set([
        ...graph.nodes.flatMap((node) => [...node.inputs, ...capturedNames(node)]),
        ...graph.outputs.map((output) => output.name),
        ...graph.inputs.map((input) => input.name),
      ]);
      const unread = [...graph.initializers.keys()].filter((name) => !read.has(name));
      for (const name of unread) graph.initializers.delete(name);
      return { edits: dead.length + unread.length };
    },
  });
}
