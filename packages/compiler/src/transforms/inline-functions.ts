import type { Diagnostic } from '../diagnostics/index.ts';
import type { Attribute, Graph, Model, ModelFunction, Node, ValueInfo } from '../ir/index.ts';
import { defineTransform, LOSSLESS, operatorName, type Transform } from '../rewrite/index.ts';

/**
 * Replaces calls of model-local functions by their bodies, functions inside functions too, and removes the functions.
 * A function that needs another version of an operator set than the model stays, with the warning
 * `function-not-inlined`.
 */
export function inlineFunctions(): Transform {
  return defineTransform({
    name: 'inlineFunctions',
    description: 'model-local functions → their bodies',
    tolerance: LOSSLESS,
    apply: (model) => {
      const inliner = createInliner(model);
      inliner.graph(model.graph);
      model.functions = model.functions.filter((definition) => inliner.kept.has(definition));
      return { edits: inliner.count(), diagnostics: [...inliner.kept.values()] };
    },
  });
}

interface Inliner {
  readonly graph: (graph: Graph) => void;
  readonly count: () => number;
  /** Functions that stay, with the reason. */
  readonly kept: ReadonlyMap<ModelFunction, Diagnostic>;
}

function createInliner(model: Model): Inliner {
  const definitions = new Map(model.functions.map((definition) => [keyOf(definition), definition]));
  const kept = new Map<ModelFunction, Diagnostic>();
  for (const definition of model.functions) {
    const conflict = opsetConflict(definition, model.opsets);
    if (conflict !== undefined) kept.set(definition, notInlined(definition, conflict));
  }
  const taken = takenNames(model.graph);
  let calls = 0;

  const expand = (node: Node): Node[] => {
    const definition = definitions.get(keyOf({ ...node, name: node.opType }));
    if (definition === undefined || kept.has(definition)) return [withSubgraphs(node)];
    calls++;
    for (const [domain, version] of definition.opsets)
      if (!model.opsets.has(domain)) model.opsets.set(domain, version);
    return bodyOf(definition, node, freshPrefix(node, taken)).flatMap(expand);
  };
  const expandGraph = (graph: Graph): Graph => ({ ...graph, nodes: graph.nodes.flatMap(expand) });
  const withSubgraphs = (node: Node): Node => {
    if (![...node.attributes.values()].some(({ kind }) => kind === 'graph' || kind === 'graphs')) return node;
    return { ...node, attributes: mapAttributes(node.attributes, (value) => mapGraphs(value, expandGraph)) };
  };
  return {
    graph: (graph) => (graph.nodes = graph.nodes.flatMap(expand)),
    count: () => calls,
    kept,
  };
}

function keyOf(callee: { domain: string; name: string; overload?: string }): string {
  return JSON.stringify([callee.domain, callee.name, callee.overload ?? '']);
}

function opsetConflict(definition: ModelFunction, opsets: ReadonlyMap<string, number>): string | undefined {
  for (const [domain, version] of definition.opsets) {
    const imported = opsets.get(domain);
    if (imported !== undefined && imported !== version)
      return `it needs version ${version} of ${domain || 'ai.onnx'}, the model imports ${imported}`;
  }
  return undefined;
}

function notInlined(definition: ModelFunction, why: string): Diagnostic {
  return {
    severity: 'warning',
    code: 'function-not-inlined',
    message: `the function ${definition.domain}.${definition.name} stays a function: ${why}`,
    hint: 'export the model with one operator set version',
  };
}

/** The function's nodes with the call's values and attributes in the places of its parameters. */
function bodyOf(definition: ModelFunction, call: Node, prefix: string): Node[] {
  const names = new Map<string, string>();
  for (const [slot, input] of definition.inputs.entries()) names.set(input, call.inputs[slot] ?? '');
  for (const [slot, output] of definition.outputs.entries()) {
    const wanted = call.outputs[slot] ?? '';
    if (wanted !== '') names.set(output, wanted);
  }
  const attributes = new Map([...definition.attributeDefaults, ...call.attributes]);
  return renameNodes(definition.nodes, names, prefix, attributes);
}

function renameNodes(
  nodes: readonly Node[],
  names: Map<string, string>,
  prefix: string,
  parameters: ReadonlyMap<string, Attribute>,
): Node[] {
  const rename = (name: string): string => {
    if (name === '') return '';
    let known = names.get(name);
    if (known === undefined) names.set(name, (known = `${prefix}${name}`));
    return known;
  };
  const renameInfo = (info: ValueInfo): ValueInfo => ({ ...info, name: rename(info.name) });
  const renameGraph = (graph: Graph): Graph => ({
    ...graph,
    inputs: graph.inputs.map(renameInfo),
    outputs: graph.outputs.map(renameInfo),
    initializers: new Map([...graph.initializers].map(([name, tensor]) => [rename(name), tensor])),
    valueInfo: new Map([...graph.valueInfo].map(([name, info]) => [rename(name), renameInfo(info)])),
    nodes: graph.nodes.map(renameNode),
  });
  const renameNode = (node: Node): Node => ({
    ...node,
    name: node.name === '' ? '' : `${prefix}${node.name}`,
    inputs: node.inputs.map(rename),
    outputs: node.outputs.map(rename),
    attributes: mapAttributes(node.attributes, (value) =>
      value.kind === 'reference' ? parameters.get(value.name) : mapGraphs(value, renameGraph),
    ),
  });
  return nodes.map(renameNode);
}

/** Attributes that become undefined are left out: the operator's own default applies. */
function mapAttributes(
  attributes: ReadonlyMap<string, Attribute>,
  map: (value: Attribute) => Attribute | undefined,
): Map<string, Attribute> {
  const mapped = new Map<string, Attribute>();
  for (const [name, attribute] of attributes) {
    const value = map(attribute);
    if (value !== undefined) mapped.set(name, value);
  }
  return mapped;
}

function mapGraphs(attribute: Attribute, map: (graph: Graph) => Graph): Attribute {
  if (attribute.kind === 'graph') return { kind: 'graph', value: map(attribute.value) };
  return attribute.kind === 'graphs' ? { kind: 'graphs', value: attribute.value.map(map) } : attribute;
}

/** Values of the body are `<call>/<name>`; no value of the graph starts like that. */
function freshPrefix(call: Node, taken: Set<string>): string {
  const base = call.name || call.outputs.find((output) => output !== '') || operatorName(call);
  let prefix = `${base}/`;
  for (let i = 1; [...taken].some((name) => name.startsWith(prefix)); i++) prefix = `${base}_${i}/`;
  taken.add(prefix);
  return prefix;
}

function takenNames(graph: Graph): Set<string> {
  const names = new Set([...graph.initializers.keys(), ...graph.inputs.map(({ name }) => name)]);
  for (const node of graph.nodes) {
    for (const output of node.outputs) names.add(output);
    for (const attribute of node.attributes.values())
      mapGraphs(attribute, (inner) => {
        for (const name of takenNames(inner)) names.add(name);
        return inner;
      });
  }
  return names;
}
