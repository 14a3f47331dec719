import type { Attribute, Graph, Model, Node } from './model.ts';

/** A copy whose structure may be edited freely; tensors are shared with the original. */
export function cloneModel(model: Model): Model {
  return {
    ...model,
    opsets: new Map(model.opsets),
    producer: { ...model.producer },
    metadata: new Map(model.metadata),
    graph: cloneGraph(model.graph),
    functions: [...model.functions],
  };
}

/** Copies one graph and, below it, every subgraph that a node carries. */
export function cloneGraph(graph: Graph): Graph {
  return {
    ...graph,
    inputs: [...graph.inputs],
    outputs: [...graph.outputs],
    nodes: graph.nodes.map(cloneNode),
    initializers: new Map(graph.initializers),
    valueInfo: new Map(graph.valueInfo),
  };
}

function cloneNode(node: Node): Node {
  const carriesGraph = [...node.attributes.values()].some((a) => a.kind === 'graph' || a.kind === 'graphs');
  if (!carriesGraph) return node; // plain data that nobody edits in place
  const attributes = new Map(
    [...node.attributes].map(([key, value]) => [key, cloneAttribute(value)] as const),
  );
  return { ...node, attributes };
}

function cloneAttribute(attribute: Attribute): Attribute {
  if (attribute.kind === 'graph') return { kind: 'graph', value: cloneGraph(attribute.value) };
  if (attribute.kind === 'graphs') return { kind: 'graphs', value: attribute.value.map(cloneGraph) };
  return attribute;
}
