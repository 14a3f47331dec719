import {
  byteLengthOf,
  elementCount,
  type Graph,
  type Model,
  type Node,
  type Tensor,
  type TensorType,
} from '../ir/index.ts';
import { readAttributes } from './attributes.ts';
import { bindDim } from './floor-dim.ts';
import type { InferredTypes } from './infer-types.ts';
import type { NumericType } from './op-definition.ts';
import { findOperator, opsetVersion } from './registry.ts';

export interface NodeCost {
  readonly node: Node;
  /** Graph path, outermost first; the main graph is the first part alone. */
  readonly graph: string;
  /** Multiply-accumulate operations of one run; null when a dim that matters is not known. */
  readonly macs: number | null;
  /** Elements and bytes of the constants that no earlier node reads. */
  readonly parameters: number;
  readonly parameterBytes: number;
  /** Bytes that the outputs take; null when a shape is not known. */
  readonly activationBytes: number | null;
}

/**
 * Cost of every node, in order, subgraphs after the node that carries them. Both branches of an If are listed.
 * `bindings` gives the symbolic dims their values.
 */
export function costNodes(
  model: Model,
  inferred: InferredTypes,
  bindings: ReadonlyMap<string, number>,
): NodeCost[] {
  const counter: Counter = { model, inferred, bindings, seen: new Set(), costs: [] };
  countGraph(counter, model.graph, model.graph.name || 'main', []);
  return counter.costs;
}

/** A type with numbers for dims; undefined when one is not known. */
export function bindType(
  type: TensorType | undefined,
  bindings: ReadonlyMap<string, number>,
): NumericType | undefined {
  const dims = type?.shape?.map((dim) => bindDim(dim, bindings));
  if (type === undefined || dims === undefined || dims.includes(null)) return undefined;
  return { dtype: type.dtype, dims: dims as number[] };
}

/** Bytes of a tensor's elements; strings count the bytes of their text, 0 when only the type is known. */
export function typeBytes({ dtype, dims }: NumericType): number {
  return dtype === 'string' ? 0 : byteLengthOf(dtype, elementCount(dims));
}

export function tensorBytes(tensor: Tensor): number {
  if (tensor.kind === 'string') return tensor.strings.reduce((sum, text) => sum + text.byteLength, 0);
  if (tensor.kind === 'sparse') return tensorBytes(tensor.values) + tensorBytes(tensor.indices);
  return tensor.data.byteLength;
}

interface Counter {
  readonly model: Model;
  readonly inferred: InferredTypes;
  readonly bindings: ReadonlyMap<string, number>;
  /** Constants that are already counted. */
  readonly seen: Set<Tensor>;
  readonly costs: NodeCost[];
}

function countGraph(counter: Counter, graph: Graph, path: string, enclosing: readonly Graph[]): void {
  const scopes = [graph, ...enclosing];
  for (const node of graph.nodes) {
    counter.costs.push(costNode(counter, node, path, scopes));
    for (const [name, inner] of subgraphs(node)) {
      countGraph(counter, inner, `${path}/${node.name || node.opType}.${name}`, scopes);
    }
  }
}

function subgraphs(node: Node): (readonly [string, Graph])[] {
  return [...node.attributes].flatMap(([name, attribute]) => {
    if (attribute.kind === 'graph') return [[name, attribute.value] as const];
    return attribute.kind === 'graphs' ? attribute.value.map((graph) => [name, graph] as const) : [];
  });
}

function costNode(counter: Counter, node: Node, graph: string, scopes: readonly Graph[]): NodeCost {
  const typeOf = (name: string): NumericType | undefined =>
    name === '' ? undefined : bindType(lookUpType(counter, name, scopes), counter.bindings);
  const outputs = node.outputs.map(typeOf);
  const constants = newConstants(counter, node, scopes);
  const wanted = outputs.filter((_, index) => node.outputs[index] !== '');
  return {
    node,
    graph,
    macs: countMacs(counter.model, node, node.inputs.map(typeOf), outputs),
    parameters: constants.reduce((sum, { dims }) => sum + elementCount(dims), 0),
    parameterBytes: constants.reduce((sum, tensor) => sum + tensorBytes(tensor), 0),
    activationBytes: wanted.every((type) => type !== undefined)
      ? wanted.reduce((sum, type) => sum + (type ? typeBytes(type) : 0), 0)
      : null,
  };
}

function lookUpType(counter: Counter, name: string, scopes: readonly Graph[]): TensorType | undefined {
  const { model, inferred } = counter;
  for (const graph of scopes) {
    const types = graph === model.graph ? inferred.types : inferred.subgraphs.get(graph);
    const type = types?.get(name);
    if (type) return type;
  }
  return undefined;
}

function countMacs(
  model: Model,
  node: Node,
  inputs: readonly (NumericType | undefined)[],
  outputs: readonly (NumericType | undefined)[],
): number | null {
  const opset = opsetVersion(model.opsets, node.domain);
  const macs = findOperator(node.domain, node.opType, opset)?.macs;
  if (macs === undefined) return 0;
  const complete =
    node.inputs.every((name, index) => name === '' || inputs[index] !== undefined) &&
    node.outputs.every((name, index) => name === '' || outputs[index] !== undefined);
  return complete ? macs({ node, opset, attributes: readAttributes(node), inputs, outputs }) : null;
}

/** Constants that this node reads or carries and that no earlier one did. */
function newConstants(counter: Counter, node: Node, scopes: readonly Graph[]): Tensor[] {
  const read = node.inputs.flatMap((name) => {
    const tensor = scopes.find((graph) => graph.initializers.has(name))?.initializers.get(name);
    return tensor ? [tensor] : [];
  });
  const carried = [...node.attributes.values()].flatMap((attribute) =>
    attribute.kind === 'tensor' ? [attribute.value] : [],
  );
  return [...read, ...carried].filter((tensor) => {
    const isNew = !counter.seen.has(tensor);
    counter.seen.add(tensor);
    return isNew;
  });
}
