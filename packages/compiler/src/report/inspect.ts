import type { Diagnostic } from '../diagnostics/index.ts';
import {
  dimSymbols,
  elementCount,
  type DataType,
  type Dim,
  type Graph,
  type Model,
  type Shape,
  type Tensor,
  type ValueInfo,
} from '../ir/index.ts';
import {
  bindType,
  costNodes,
  findOperator,
  inferTypes,
  opsetVersion,
  tensorBytes,
  typeBytes,
  type InferredTypes,
  type NodeCost,
} from '../ops/index.ts';

export interface InspectOptions {
  /** Values of the symbolic dims, for costs: `new Map([['batch', 1], ['sequence', 128]])`. */
  readonly bindings?: ReadonlyMap<string, number>;
  /** Shapes that replace the declared ones, by input name. */
  readonly inputShapes?: ReadonlyMap<string, Shape>;
}

export interface ValueReport {
  readonly name: string;
  /** Undefined for sequences, maps and unknown types. */
  readonly dtype?: DataType;
  readonly shape?: readonly Dim[];
}

export interface OperatorReport {
  /** `Conv`, `edgewise.Linear`. */
  readonly name: string;
  readonly count: number;
  /** Whether Edgewise can infer its types; what it cannot is left as it is by every transform. */
  readonly known: boolean;
  /** Whether the reference evaluator can run it. */
  readonly evaluable: boolean;
}

export interface BytesReport {
  readonly tensors: number;
  readonly elements: number;
  readonly bytes: number;
}

export interface NodeReport {
  /** Node name, or the name of its first output. */
  readonly name: string;
  readonly operator: string;
  readonly graph: string;
  readonly outputs: readonly ValueReport[];
  readonly macs: number | null;
  /** This node's part of all multiply-accumulates, 0…1. */
  readonly macShare: number | null;
  readonly parameters: number;
  readonly parameterBytes: number;
  readonly activationBytes: number | null;
}

/** Plain data about a model; everything is JSON. */
export interface InspectReport {
  readonly irVersion: number;
  readonly producer: { readonly name: string; readonly version: string };
  readonly opsets: Readonly<Record<string, number>>;
  readonly inputs: readonly ValueReport[];
  readonly outputs: readonly ValueReport[];
  /** Symbols in the inputs' shapes. */
  readonly symbols: readonly string[];
  readonly bindings: Readonly<Record<string, number>>;
  /** Most frequent first. */
  readonly operators: readonly OperatorReport[];
  readonly parameters: number;
  readonly parameterBytes: number;
  readonly parametersByType: Readonly<Record<string, BytesReport>>;
  readonly nodes: readonly NodeReport[];
  readonly totals: {
    /** Null when a dim is not bound. */
    readonly macs: number | null;
    /** Sum over all values. */
    readonly activationBytes: number | null;
    /** Largest sum of values that live at once, run in graph order without reuse inside a node. */
    readonly peakActivationBytes: number | null;
  };
  readonly warnings: readonly Diagnostic[];
}

/** Reports what a model is made of and what running it costs. */
export function inspectModel(model: Model, options: InspectOptions = {}): InspectReport {
  const bindings = options.bindings ?? new Map<string, number>();
  const inferred = inferTypes(model, options.inputShapes ? { inputShapes: options.inputShapes } : {});
  const costs = costNodes(model, inferred, bindings);
  const inputs = runtimeInputs(model.graph).map(({ name }) => reportValue(inferred, name));
  const symbols = [...new Set(inputs.flatMap(({ shape }) => (shape ?? []).flatMap(dimSymbols)))];
  const parametersByType = countParameters(allTensors(model.graph));
  const types = Object.values(parametersByType);
  return {
    irVersion: model.irVersion,
    producer: model.producer,
    opsets: Object.fromEntries(model.opsets),
    inputs,
    outputs: model.graph.outputs.map(({ name }) => reportValue(inferred, name)),
    symbols,
    bindings: Object.fromEntries(bindings),
    operators: countOperators(model, costs),
    parameters: types.reduce((sum, { elements }) => sum + elements, 0),
    parameterBytes: types.reduce((sum, { bytes }) => sum + bytes, 0),
    parametersByType,
    nodes: reportNodes(inferred, costs),
    totals: {
      macs: sumKnown(costs.map((cost) => cost.macs)),
      activationBytes: sumKnown(costs.map((cost) => cost.activationBytes)),
      peakActivationBytes: peakActivationBytes(model.graph, inferred, bindings),
    },
    warnings: [...dynamicBatch(inputs), ...unboundSymbols(symbols, bindings), ...inferred.diagnostics],
  };
}

/** Inputs that the caller must give: those without a constant as default. */
function runtimeInputs(graph: Graph): ValueInfo[] {
  return graph.inputs.filter((input) => !graph.initializers.has(input.name));
}

function reportValue({ types }: InferredTypes, name: string): ValueReport {
  const type = types.get(name);
  if (type === undefined) return { name };
  return type.shape === undefined
    ? { name, dtype: type.dtype }
    : { name, dtype: type.dtype, shape: type.shape };
}

function operatorName(domain: string, opType: string): string {
  return domain === '' || domain === 'ai.onnx' ? opType : `${domain}.${opType}`;
}

function countOperators(model: Model, costs: readonly NodeCost[]): OperatorReport[] {
  const reports = new Map<string, OperatorReport>();
  for (const { node } of costs) {
    const name = operatorName(node.domain, node.opType);
    const operator = findOperator(node.domain, node.opType, opsetVersion(model.opsets, node.domain));
    reports.set(name, {
      name,
      count: (reports.get(name)?.count ?? 0) + 1,
      known: operator !== undefined,
      evaluable: operator?.evaluate !== undefined,
    });
  }
  return [...reports.values()].toSorted((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
}

/** Constants of the graph and of its subgraphs, those that nodes carry included; a shared one counts once. */
function allTensors(graph: Graph): Set<Tensor> {
  const tensors = new Set(graph.initializers.values());
  for (const attribute of graph.nodes.flatMap((node) => [...node.attributes.values()])) {
    if (attribute.kind === 'tensor') tensors.add(attribute.value);
    const inner =
      attribute.kind === 'graph' ? [attribute.value] : attribute.kind === 'graphs' ? attribute.value : [];
    for (const tensor of inner.flatMap((subgraph) => [...allTensors(subgraph)])) tensors.add(tensor);
  }
  return tensors;
}

function countParameters(tensors: Iterable<Tensor>): Record<string, BytesReport> {
  const byType: Record<string, BytesReport> = {};
  for (const tensor of tensors) {
    const known = byType[tensor.dtype] ?? { tensors: 0, elements: 0, bytes: 0 };
    byType[tensor.dtype] = {
      tensors: known.tensors + 1,
      elements: known.elements + elementCount(tensor.dims),
      bytes: known.bytes + tensorBytes(tensor),
    };
  }
  return byType;
}

function reportNodes(inferred: InferredTypes, costs: readonly NodeCost[]): NodeReport[] {
  const total = sumKnown(costs.map((cost) => cost.macs));
  return costs.map(({ node, graph, macs, parameters, parameterBytes, activationBytes }) => ({
    name: node.name || (node.outputs.find((name) => name !== '') ?? node.opType),
    operator: operatorName(node.domain, node.opType),
    graph,
    outputs: node.outputs.filter((name) => name !== '').map((name) => reportValue(inferred, name)),
    macs,
    macShare: macs === null || total === null ? null : total === 0 ? 0 : macs / total,
    parameters,
    parameterBytes,
    activationBytes,
  }));
}

/** Null as soon as one part is not known: a sum of the others would be a wrong total. */
function sumKnown(parts: readonly (number | null)[]): number | null {
  return parts.reduce<number | null>((sum, part) => (sum === null || part === null ? null : sum + part), 0);
}

/** Follows which values are still needed while the main graph runs in order. */
function peakActivationBytes(
  graph: Graph,
  inferred: InferredTypes,
  bindings: ReadonlyMap<string, number>,
): number | null {
  const lastUse = new Map<string, number>();
  for (const [index, node] of graph.nodes.entries()) for (const name of node.inputs) lastUse.set(name, index);
  for (const { name } of graph.outputs) lastUse.set(name, graph.nodes.length);
  const bytesOf = (name: string): number | undefined => {
    const type = bindType(inferred.types.get(name), bindings);
    return type && typeBytes(type);
  };
  const live = new Map<string, number>();
  for (const { name } of runtimeInputs(graph)) {
    const bytes = bytesOf(name);
    if (bytes === undefined) return null;
    live.set(name, bytes);
  }
  let peak = 0;
  for (const [index, node] of graph.nodes.entries()) {
    for (const name of node.outputs.filter((output) => output !== '')) {
      const bytes = bytesOf(name);
      if (bytes === undefined) return null;
      live.set(name, bytes);
    }
    peak = Math.max(
      peak,
      [...live.values()].reduce((sum, bytes) => sum + bytes, 0),
    );
    for (const name of live.keys()) if ((lastUse.get(name) ?? -1) <= index) live.delete(name);
  }
  return peak;
}

function dynamicBatch(inputs: readonly ValueReport[]): Diagnostic[] {
  const symbols = new Set(inputs.map(({ shape }) => shape?.[0]).filter((dim) => typeof dim === 'string'));
  return [...symbols].map((symbol) => ({
    severity: 'info',
    code: 'dynamic-batch',
    message: `The batch dimension "${symbol}" is dynamic.`,
    hint: `A package fixes it; costs need its value, for example ${symbol}=1.`,
  }));
}

function unboundSymbols(symbols: readonly string[], bindings: ReadonlyMap<string, number>): Diagnostic[] {
  const missing = symbols.filter((symbol) => !bindings.has(symbol));
  if (missing.length === 0) return [];
  return [
    {
      severity: 'info',
      code: 'unbound-dim',
      message: `Costs that depend on ${missing.join(', ')} are not known.`,
      hint: `Give values, for example ${missing.map((symbol) => `${symbol}=1`).join(' ')}.`,
    },
  ];
}
