import type { Diagnostic, DiagnosticLocation, Severity } from '../diagnostics/index.ts';
import { byteLengthOf } from './data-type.ts';
import { parseDim } from './dim.ts';
import type { Attribute, Graph, Model, ModelFunction, Node, ValueInfo, ValueType } from './model.ts';
import { elementCount, type Tensor } from './tensor.ts';

/**
 * Structural problems of a model: what every later stage takes for granted. No types or operator signatures are checked
 * (shape inference does that). An empty list means that the model is sound; a list ends after 1000 problems.
 *
 * Errors: `duplicate-value` (not SSA), `undefined-value`, `not-sorted` (used before it is defined), `cycle`,
 * `missing-output`, `bad-tensor` (dims against data), `bad-dim`, `missing-opset`, `missing-op-type`, `bad-reference`
 * (attribute references outside functions or to no attribute), `duplicate-function`, `recursive-function`.
 * Warnings: `shadowed-value` (a subgraph redefines a name of an enclosing graph).
 */
export function validateModel(model: Model): Diagnostic[] {
  const check: Check = { diagnostics: [], opsets: model.opsets, functionAttributes: undefined };
  checkGraph(check, model.graph, model.graph.name || 'main', undefined);
  checkFunctions(check.diagnostics, model);
  return check.diagnostics;
}

interface Check {
  readonly diagnostics: Diagnostic[];
  readonly opsets: ReadonlyMap<string, number>;
  /** Names that attribute references may use; undefined outside functions. */
  readonly functionAttributes: ReadonlySet<string> | undefined;
}

/** Names visible in a graph: its own, then those of the graphs around it. */
interface Scope {
  readonly names: Set<string>;
  readonly parent: Scope | undefined;
}

function checkGraph(check: Check, graph: Graph, path: string, parent: Scope | undefined): void {
  const scope: Scope = { names: new Set(), parent };
  const at = { graph: path };
  for (const { name } of graph.inputs) define(check, scope, name, at);
  for (const [name, tensor] of graph.initializers) {
    // Before IR version 4 an initializer was the default value of an input of the same name.
    if (!graph.inputs.some((input) => input.name === name)) define(check, scope, name, at);
    checkTensor(check, tensor, `constant '${name}'`, { ...at, value: name });
  }
  for (const info of [...graph.inputs, ...graph.outputs, ...graph.valueInfo.values()])
    checkDims(check, info, at);
  checkNodes(check, graph.nodes, path, scope);
  for (const { name } of graph.outputs) {
    if (isVisible(scope, name)) continue;
    report(check, 'missing-output', `nothing produces the graph output '${name}'`, { ...at, value: name });
  }
}

function checkNodes(check: Check, nodes: readonly Node[], path: string, scope: Scope): void {
  const producers = new Map(nodes.flatMap((node, i) => node.outputs.map((output) => [output, i] as const)));
  const cyclic = findCycle(nodes, producers);
  for (const [index, node] of nodes.entries()) {
    const label = node.name || `#${index} ${node.opType}`;
    const at = { graph: path, node: label };
    for (const input of node.inputs) {
      if (input === '' || isVisible(scope, input)) continue;
      const problem = producers.has(input) ? (cyclic.has(index) ? 'cycle' : 'not-sorted') : 'undefined-value';
      report(check, problem, `${UNAVAILABLE[problem]}: '${input}'`, { ...at, value: input });
    }
    checkNode(check, node, at);
    for (const [name, attribute] of node.attributes) {
      for (const [i, graph] of subgraphs(attribute).entries()) {
        const suffix = attribute.kind === 'graphs' ? `[${i}]` : '';
        checkGraph(check, graph, `${path}/${label}.${name}${suffix}`, scope);
      }
    }
    for (const output of node.outputs) if (output !== '') define(check, scope, output, at);
  }
}

const UNAVAILABLE = {
  cycle: 'a value is part of a cycle or depends on one',
  'not-sorted': 'a value is used before the node that makes it',
  'undefined-value': 'nothing defines this value',
} as const;

function checkNode(check: Check, node: Node, at: DiagnosticLocation): void {
  if (node.opType === '') report(check, 'missing-op-type', 'the node has no operator', at);
  if (!check.opsets.has(node.domain)) {
    const domain = node.domain || 'ai.onnx';
    report(check, 'missing-opset', `the operator set '${domain}' of ${node.opType} is not imported`, at);
  }
  for (const [name, attribute] of node.attributes) {
    if (attribute.kind === 'reference') checkReference(check, name, attribute.name, at);
    for (const tensor of attributeTensors(attribute)) checkTensor(check, tensor, `attribute '${name}'`, at);
  }
}

function checkReference(check: Check, attribute: string, target: string, at: DiagnosticLocation): void {
  if (check.functionAttributes?.has(target)) return;
  const where =
    check.functionAttributes === undefined ? 'outside a function' : 'which the function does not have';
  report(check, 'bad-reference', `attribute '${attribute}' refers to attribute '${target}', ${where}`, at);
}

function checkFunctions(diagnostics: Diagnostic[], model: Model): void {
  const seen = new Set<string>();
  for (const fn of model.functions) {
    const path = functionKey(fn.domain, fn.name, fn.overload);
    const functionAttributes = new Set([...fn.attributes, ...fn.attributeDefaults.keys()]);
    const check: Check = { diagnostics, opsets: fn.opsets, functionAttributes };
    if (seen.has(path))
      report(check, 'duplicate-function', `there are two functions ${path}`, { graph: path });
    seen.add(path);
    checkFunctionBody(check, fn, path);
  }
  for (const path of recursiveFunctions(model.functions)) {
    const check: Check = { diagnostics, opsets: new Map(), functionAttributes: undefined };
    report(check, 'recursive-function', `the function ${path} calls itself, or one that does`, {
      graph: path,
    });
  }
}

function checkFunctionBody(check: Check, fn: ModelFunction, path: string): void {
  const scope: Scope = { names: new Set(), parent: undefined };
  for (const name of fn.inputs) define(check, scope, name, { graph: path });
  checkNodes(check, fn.nodes, path, scope);
  for (const name of fn.outputs) {
    if (isVisible(scope, name)) continue;
    report(check, 'missing-output', `nothing produces the function output '${name}'`, {
      graph: path,
      value: name,
    });
  }
}

function define(check: Check, scope: Scope, name: string, at: DiagnosticLocation): void {
  if (scope.names.has(name)) {
    report(check, 'duplicate-value', `the value '${name}' is defined twice`, { ...at, value: name });
  } else if (scope.parent !== undefined && isVisible(scope.parent, name)) {
    report(
      check,
      'shadowed-value',
      `the value '${name}' hides one of an enclosing graph`,
      { ...at, value: name },
      'warning',
    );
  }
  scope.names.add(name);
}

function isVisible(scope: Scope, name: string): boolean {
  for (let s: Scope | undefined = scope; s !== undefined; s = s.parent) if (s.names.has(name)) return true;
  return false;
}

/** Dims against data: the only thing between a wrong length and memory read beyond its end. */
function checkTensor(check: Check, tensor: Tensor, label: string, at: DiagnosticLocation): void {
  const problem = tensorProblem(tensor);
  if (problem !== undefined) report(check, 'bad-tensor', `${label} ${problem}`, at);
}

function tensorProblem(tensor: Tensor): string | undefined {
  if (!tensor.dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0))
    return `has dims [${tensor.dims.join(', ')}]`;
  const count = elementCount(tensor.dims);
  if (tensor.kind === 'string') {
    return tensor.strings.length === count
      ? undefined
      : `has ${tensor.strings.length} strings for ${count} elements`;
  }
  if (tensor.kind === 'sparse') return sparseProblem(tensor);
  const expected = byteLengthOf(tensor.dtype, count);
  return tensor.data.length === expected
    ? undefined
    : `takes ${expected} bytes but has ${tensor.data.length}`;
}

/** ONNX: values [n]; indices int64 [n] (linear) or [n, rank]. */
function sparseProblem({ dims, values, indices, dtype }: Tensor & { kind: 'sparse' }): string | undefined {
  const inner = tensorProblem(values) ?? tensorProblem(indices);
  if (inner !== undefined) return `in sparse form ${inner}`;
  const [count] = values.dims;
  const [rows, columns = dims.length] = indices.dims;
  const fits =
    values.dims.length === 1 && rows === count && columns === dims.length && indices.dims.length <= 2;
  if (fits && indices.dtype === 'int64' && values.dtype === dtype) return undefined;
  return `has indices [${indices.dims.join(', ')}] for values [${values.dims.join(', ')}]`;
}

function checkDims(check: Check, { name, type }: ValueInfo, at: DiagnosticLocation): void {
  for (const dim of type === undefined ? [] : shapeOf(type)) {
    if (dim === null || isSoundDim(dim)) continue;
    report(check, 'bad-dim', `the value '${name}' has the dimension '${dim}'`, { ...at, value: name });
  }
}

function shapeOf(type: ValueType): readonly (number | string | null)[] {
  switch (type.kind) {
    case 'tensor':
    case 'sparse-tensor':
      return type.shape ?? [];
    case 'sequence':
    case 'optional':
      return shapeOf(type.element);
    case 'map':
      return shapeOf(type.value);
  }
}

function isSoundDim(dim: number | string): boolean {
  if (typeof dim === 'number') return Number.isSafeInteger(dim) && dim >= 0;
  try {
    return parseDim(dim) === dim;
  } catch {
    return false;
  }
}

/** Indices of nodes that wait for themselves, directly or through others. */
function findCycle(nodes: readonly Node[], producers: ReadonlyMap<string, number>): ReadonlySet<number> {
  return waitForever(
    nodes.map((node) =>
      node.inputs.flatMap((input) => (input === '' ? undefined : producers.get(input)) ?? []),
    ),
  );
}

function recursiveFunctions(functions: readonly ModelFunction[]): string[] {
  const keys = functions.map((fn) => functionKey(fn.domain, fn.name, fn.overload));
  const indices = new Map(keys.map((key, index) => [key, index]));
  const calls = functions.map((fn) =>
    allNodes(fn.nodes).flatMap(
      (node) => indices.get(functionKey(node.domain, node.opType, node.overload)) ?? [],
    ),
  );
  return [...waitForever(calls)].flatMap((index) => keys[index] ?? []);
}

/** What is left when everything whose needs are met is taken away, in linear time; needs are indices. */
function waitForever(needs: readonly (readonly number[])[]): ReadonlySet<number> {
  const dependents = needs.map((): number[] => []);
  for (const [index, list] of needs.entries()) for (const need of list) dependents[need]?.push(index);
  const open = needs.map((list) => list.length);
  const ready = [...needs.keys()].filter((index) => open[index] === 0);
  const left = new Set(needs.keys());
  for (let index = ready.pop(); index !== undefined; index = ready.pop()) {
    left.delete(index);
    for (const dependent of dependents[index] ?? []) {
      const remaining = (open[dependent] ?? 0) - 1;
      open[dependent] = remaining;
      if (remaining === 0) ready.push(dependent);
    }
  }
  return left;
}

function allNodes(nodes: readonly Node[]): Node[] {
  return nodes.flatMap((node) => [
    node,
    ...[...node.attributes.values()].flatMap(subgraphs).flatMap((graph) => allNodes(graph.nodes)),
  ]);
}

function functionKey(domain: string, name: string, overload: string | undefined): string {
  return `${domain ? `${domain}.` : ''}${name}${overload ? `:${overload}` : ''}`;
}

function subgraphs(attribute: Attribute): readonly Graph[] {
  if (attribute.kind === 'graph') return [attribute.value];
  return attribute.kind === 'graphs' ? attribute.value : [];
}

function attributeTensors(attribute: Attribute): readonly Tensor[] {
  switch (attribute.kind) {
    case 'tensor':
    case 'sparse-tensor':
      return [attribute.value];
    case 'tensors':
    case 'sparse-tensors':
      return attribute.value;
    default:
      return [];
  }
}

const MAX_DIAGNOSTICS = 1000;

function report(
  { diagnostics }: Check,
  code: string,
  message: string,
  at: DiagnosticLocation,
  severity: Severity = 'error',
): void {
  if (diagnostics.length < MAX_DIAGNOSTICS) diagnostics.push({ severity, code, message, at });
}
