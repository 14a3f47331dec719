import type { Attribute, Graph, Node } from '../ir/index.ts';

/** Names of enclosing values that the node's subgraphs read, each once. */
export function capturedNames(node: Node): string[] {
  const graphs = subgraphsOf(node);
  return graphs.length === 0 ? [] : [...new Set(graphs.flatMap(freeNames))];
}

/** Graphs that the node carries as attributes. */
export function subgraphsOf(node: Node): Graph[] {
  const graphs: Graph[] = [];
  for (const attribute of node.attributes.values()) {
    if (attribute.kind === 'graph') graphs.push(attribute.value);
    if (attribute.kind === 'graphs') graphs.push(...attribute.value);
  }
  return graphs;
}

/** The node with every read of the enclosing value `from` inside its subgraphs turned into a read of `to`. */
export function renameCaptured(node: Node, from: string, to: string): Node {
  if (!capturedNames(node).includes(from)) return node;
  const attributes = new Map<string, Attribute>();
  for (const [name, attribute] of node.attributes) {
    if (attribute.kind === 'graph') {
      attributes.set(name, { kind: 'graph', value: renameFree(attribute.value, from, to) });
    } else if (attribute.kind === 'graphs') {
      const value = attribute.value.map((graph) => renameFree(graph, from, to));
      attributes.set(name, { kind: 'graphs', value });
    } else {
      attributes.set(name, attribute);
    }
  }
  return { ...node, attributes };
}

function freeNames(graph: Graph): string[] {
  const defined = definedNames(graph);
  const read = graph.nodes.flatMap((node) => [...node.inputs, ...capturedNames(node)]);
  return [...read, ...graph.outputs.map((output) => output.name)].filter(
    (name) => name !== '' && !defined.has(name),
  );
}

function definedNames(graph: Graph): Set<string> {
  return new Set([
    ...graph.inputs.map((input) => input.name),
    ...graph.initializers.keys(),
    ...graph.nodes.flatMap((node) => node.outputs),
  ]);
}

function renameFree(graph: Graph, from: string, to: string): Graph {
  if (definedNames(graph).has(from)) return graph;
  return {
    ...graph,
    nodes: graph.nodes.map((node) => {
      const inputs = node.inputs.map((name) => (name === from ? to : name));
      return renameCaptured({ ...node, inputs }, from, to);
    }),
    outputs: graph.outputs.map((output) => (output.name === from ? { ...output, name: to } : output)),
  };
}
