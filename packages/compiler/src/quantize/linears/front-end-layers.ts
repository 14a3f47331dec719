import type { Model, Node } from '../../ir/index.ts';
import { operatorName } from '../../rewrite/index.ts';

/**
 * Names of the `Linear` layers that a logarithm depends on: Fourier transforms and mel filters of models that take raw
 * sound. Eight bits of activations do not hold the range of a spectrum, so they should stay float:
 *
 *     quantizeLinears({ keepFloat: frontEndLayers(model) })
 */
export function frontEndLayers({ graph }: Model): string[] {
  const producers = new Map(
    graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)),
  );
  const before = new Set<Node>();
  const visit = (value: string): void => {
    const node = producers.get(value);
    if (node === undefined || before.has(node)) return;
    before.add(node);
    node.inputs.forEach(visit);
  };
  for (const node of graph.nodes) if (operatorName(node) === 'Log') node.inputs.forEach(visit);
  return graph.nodes
    .filter((node) => before.has(node) && operatorName(node) === 'edgewise.Linear')
    .map(({ name }) => name);
}
