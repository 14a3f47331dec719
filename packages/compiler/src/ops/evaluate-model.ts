import { CompilerError } from '../diagnostics/index.ts';
import type { Graph, Model, Node, Tensor } from '../ir/index.ts';
import { readAttributes } from './attributes.ts';
import { fromTensor, conformToType, toTensor, type NdArray } from './nd-array.ts';
import type { EvaluateContext } from './op-definition.ts';
import { arityProblem, findOperator, opsetVersion } from './registry.ts';

export interface EvaluateOptions {
  /** Values to return instead of the graph's outputs; only the nodes that they need are run. */
  readonly want?: readonly string[];
}

/**
 * Runs a model on the reference evaluator: plain loops, double-precision sums rounded to the element type.
 * Meant for constant folding and numeric checks, not for speed. Initializers serve as defaults of equally named inputs.
 * @throws CompilerError `bad-option` for a missing input or unknown value, `unsupported` for an operator without evaluation.
 */
export function evaluateModel(
  model: Model,
  inputs: ReadonlyMap<string, Tensor>,
  options?: EvaluateOptions,
): Map<string, Tensor> {
  return createEvaluator()(model, inputs, options);
}

/**
 * An `evaluateModel` for many runs: constants that have to be copied into their working form (because the file leaves them
 * unaligned, or still holds them) are copied once for all runs, and held as long as the function is.
 */
export function createEvaluator(): typeof evaluateModel {
  const constants: Constants = new WeakMap();
  return (model, inputs, options) => evaluate(model, inputs, options?.want, constants);
}

type Constants = WeakMap<Tensor, NdArray>;

function evaluate(
  model: Model,
  inputs: ReadonlyMap<string, Tensor>,
  want: readonly string[] | undefined,
  constants: Constants,
): Map<string, Tensor> {
  const wanted = want ?? model.graph.outputs.map((output) => output.name);
  const scope = new Scope(model.opsets, constants);
  for (const { name } of model.graph.inputs) {
    const tensor = inputs.get(name);
    if (tensor) scope.set(name, fromTensor(tensor));
  }
  scope.run(model.graph, wanted);
  return new Map(wanted.map((name) => [name, toTensor(scope.get(name))]));
}

/**
 * Evaluates one node on known inputs (by position, undefined where omitted). Undefined when the operator is not known,
 * has no evaluation or is not deterministic: what constant folding must leave alone.
 */
export function evaluateNode(
  opsets: ReadonlyMap<string, number>,
  node: Node,
  inputs: readonly (Tensor | undefined)[],
): readonly Tensor[] | undefined {
  const operator = findOperator(node.domain, node.opType, opsetVersion(opsets, node.domain));
  if (operator?.evaluate === undefined || operator.deterministic === false) return undefined;
  const scope = new Scope(opsets, new WeakMap());
  return scope
    .evaluate(
      node,
      inputs.map((input) => input && fromTensor(input)),
    )
    .map(toTensor);
}

/** Values of one graph, on top of those of the enclosing graphs. */
class Scope {
  readonly #opsets: ReadonlyMap<string, number>;
  readonly #parent: Scope | undefined;
  readonly #constants: Constants;
  readonly #values = new Map<string, NdArray>();
  #initializers: ReadonlyMap<string, Tensor> = new Map();

  constructor(opsets: ReadonlyMap<string, number>, constants: Constants, parent?: Scope) {
    this.#opsets = opsets;
    this.#constants = constants;
    this.#parent = parent;
  }

  set(name: string, value: NdArray): void {
    this.#values.set(name, value);
  }

  get(name: string): NdArray {
    const value = this.#find(name);
    if (value) return value;
    throw new CompilerError('bad-option', `The value "${name}" is not known.`, {
      at: { value: name },
      hint: 'Pass it as an input, or name a value that the model computes.',
    });
  }

  #find(name: string): NdArray | undefined {
    const known = this.#values.get(name);
    if (known) return known;
    const initializer = this.#initializers.get(name);
    if (initializer === undefined) return this.#parent && this.#parent.#find(name);
    const value = this.#constants.get(initializer) ?? fromTensor(initializer);
    this.#constants.set(initializer, value);
    this.#values.set(name, value);
    return value;
  }

  run(graph: Graph, wanted: readonly string[]): void {
    this.#initializers = graph.initializers;
    for (const node of nodesFor(graph, wanted)) {
      const results = this.evaluate(
        node,
        node.inputs.map((name) => (name === '' ? undefined : this.get(name))),
      );
      for (const [index, name] of node.outputs.entries()) {
        const result = results[index];
        if (name !== '' && result) this.#values.set(name, result);
      }
    }
  }

  evaluate(node: Node, inputs: readonly (NdArray | undefined)[]): readonly NdArray[] {
    const at = { node: node.name || node.opType };
    const opset = opsetVersion(this.#opsets, node.domain);
    const operator = findOperator(node.domain, node.opType, opset);
    if (operator?.evaluate === undefined) {
      throw new CompilerError(
        'unsupported',
        `${[node.domain, node.opType].filter(Boolean).join('.')} (version ${opset}) has no reference evaluation.`,
        { at, hint: 'Run the model with onnxruntime instead.' },
      );
    }
    const arity = arityProblem(operator, node);
    if (arity !== undefined) throw new CompilerError('invalid-graph', `${node.opType}: ${arity}.`, { at });
    const context: EvaluateContext = {
      node,
      opset,
      attributes: readAttributes(node),
      inputs,
      input(index) {
        const value = inputs[index];
        if (value) return value;
        throw new CompilerError('invalid-graph', `${node.opType} needs its input ${index}.`, { at });
      },
      runGraph: (graph, values) => this.#runGraph(graph, values),
    };
    try {
      return operator.evaluate(context).map(conformToType);
    } catch (error) {
      if (error instanceof CompilerError && error.at !== undefined) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      const code = error instanceof CompilerError ? error.code : 'invalid-graph';
      throw new CompilerError(code, `${node.opType} cannot be evaluated: ${reason}`, { at, cause: error });
    }
  }

  #runGraph(graph: Graph, inputs: readonly NdArray[]): readonly NdArray[] {
    const inner = new Scope(this.#opsets, this.#constants, this);
    for (const [index, { name }] of graph.inputs.entries()) {
      const value = inputs[index];
      if (value) inner.set(name, value);
    }
    const outputs = graph.outputs.map((output) => output.name);
    inner.run(graph, outputs);
    return outputs.map((name) => inner.get(name));
  }
}

/** The nodes that the wanted values depend on, in order. A node with a subgraph needs whatever that reads. */
function nodesFor(graph: Graph, wanted: readonly string[]): Node[] {
  const needed = new Set(wanted);
  const chosen: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    chosen.push(node);
    for (const name of readNames(node)) needed.add(name);
  }
  return chosen.toReversed();
}

/** Names that a node reads, those inside its subgraphs included. */
function readNames(node: Node): string[] {
  const inner = [...node.attributes.values()].flatMap((attribute) => {
    if (attribute.kind === 'graph') return graphReads(attribute.value);
    return attribute.kind === 'graphs' ? attribute.value.flatMap(graphReads) : [];
  });
  return [...node.inputs, ...inner];
}

function graphReads(graph: Graph): string[] {
  return [...graph.nodes.flatMap(readNames), ...graph.outputs.map((output) => output.name)];
}
