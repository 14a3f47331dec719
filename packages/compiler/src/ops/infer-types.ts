import { CompilerError, type Diagnostic } from '../diagnostics/index.ts';
import {
  boundDim,
  elementCount,
  substituteDim,
  symbolDim,
  type Dim,
  type DimRange,
  type Graph,
  type Model,
  type Node,
  type Shape,
  type Tensor,
  type TensorType,
  type ValueInfo,
} from '../ir/index.ts';
import { readAttributes } from './attributes.ts';
import { evaluateNode } from './evaluate-model.ts';
import { tensorType } from './inference.ts';
import { fromNumbers, fromTensor, isEvaluable, toNumbers, toTensor, type NdArray } from './nd-array.ts';
import type { EvaluateContext, InferContext, OpDefinition } from './op-definition.ts';
import { PARTIAL_VALUE_MAX_ELEMENTS, type PartialValue } from './partial-value.ts';
import { propagateMoves } from './propagate.ts';
import { arityProblem, findOperator, opsetVersion } from './registry.ts';

export interface InferOptions {
  /** Shapes that replace the declared ones, by input name: `input_ids: ['batch', 128]`. */
  readonly inputShapes?: ReadonlyMap<string, Shape>;
  /**
   * Limits of symbols: one whose limits are equal becomes that number, and what does not fit (a sequence longer than
   * the position table) is reported.
   */
  readonly bounds?: ReadonlyMap<string, DimRange>;
}

export interface InferredTypes {
  /** Types of the main graph's values: inputs, initializers and node outputs. A value whose type is unknown is absent. */
  readonly types: ReadonlyMap<string, TensorType>;
  /** The same for each subgraph (If, Loop and Scan bodies). */
  readonly subgraphs: ReadonlyMap<Graph, ReadonlyMap<string, TensorType>>;
  /** What is known of the elements of small values of the main graph. */
  readonly values: ReadonlyMap<string, PartialValue>;
  /** Operators without inference and contradictions; inference never stops at one. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Infers element types and shapes of all values, with symbolic dims. Elements of small tensors are followed through
 * the graph, so that targets of Reshape, Expand, Slice and Range that a model computes from shapes become dims.
 * Declared types fill in what cannot be inferred. An input's dim without size and name becomes `<input>_dim_<axis>`.
 */
export function inferTypes(model: Model, options: InferOptions = {}): InferredTypes {
  const fixed = fixedSymbols(options.bounds);
  const run: Run = {
    model,
    bounds: options.bounds ?? new Map(),
    diagnostics: [],
    subgraphs: new Map(),
    unknownOps: new Set(),
  };
  const scope = new TypeScope(run, model.graph.name || 'main');
  for (const input of model.graph.inputs) {
    const declared = declaredType(input);
    const shape = options.inputShapes?.get(input.name) ?? declared?.shape;
    const type = tensorType(
      declared?.dtype,
      shape?.map((dim, axis) => substituteDim(dim ?? unnamedDim(input.name, axis), fixed)),
    );
    if (type) scope.types.set(input.name, type);
  }
  scope.infer(model.graph);
  return { types: scope.types, subgraphs: run.subgraphs, values: scope.values, diagnostics: run.diagnostics };
}

/** First IR version in which an initializer need not be listed as an input. */
const CONSTANTS_NEED_NO_INPUT = 4;

interface Run {
  readonly model: Model;
  readonly bounds: ReadonlyMap<string, DimRange>;
  readonly diagnostics: Diagnostic[];
  readonly subgraphs: Map<Graph, ReadonlyMap<string, TensorType>>;
  readonly unknownOps: Set<string>;
}

function fixedSymbols(bounds: InferOptions['bounds']): Map<string, Dim> {
  const entries = [...(bounds ?? [])].filter(([, { min, max }]) => min === max);
  return new Map(entries.map(([symbol, { min }]) => [symbol, min]));
}

/** Stands for an input's dim that has neither size nor name. */
function unnamedDim(input: string, axis: number): string {
  return symbolDim(`${input}_dim_${axis}`);
}

function declaredType(info: ValueInfo | undefined): TensorType | undefined {
  return info?.type?.kind === 'tensor' ? info.type : undefined;
}

/** Types that the model declares for inner values and outputs. */
function declaredTypes(graph: Graph): Map<string, TensorType> {
  const types = new Map<string, TensorType>();
  for (const info of [...graph.valueInfo.values(), ...graph.outputs]) {
    const type = declaredType(info);
    if (type) types.set(info.name, type);
  }
  return types;
}

/** Types and known elements of one graph, on top of those of the enclosing graphs. */
class TypeScope {
  readonly types = new Map<string, TensorType>();
  readonly values = new Map<string, PartialValue>();
  readonly #run: Run;
  readonly #path: string;
  readonly #parent: TypeScope | undefined;

  constructor(run: Run, path: string, parent?: TypeScope) {
    this.#run = run;
    this.#path = path;
    this.#parent = parent;
  }

  infer(graph: Graph): void {
    for (const [name, tensor] of graph.initializers) this.#addConstant(name, tensor);
    const declared = declaredTypes(graph);
    for (const [index, node] of graph.nodes.entries()) {
      const types = this.#inferNode(node, index);
      for (const [position, name] of node.outputs.entries()) {
        const type = withDeclared(types[position], declared.get(name));
        if (name !== '' && type) this.types.set(name, type);
      }
    }
  }

  type(name: string): TensorType | undefined {
    return this.types.get(name) ?? this.#parent?.type(name);
  }

  value(name: string): PartialValue | undefined {
    return this.values.get(name) ?? this.#parent?.value(name);
  }

  #addConstant(name: string, tensor: Tensor): void {
    // A constant that is also an input is only a default, except in old files, which list all constants as inputs.
    const isDefault = this.types.has(name) && this.#run.model.irVersion >= CONSTANTS_NEED_NO_INPUT;
    if (isDefault) return;
    this.types.set(name, { kind: 'tensor', dtype: tensor.dtype, shape: tensor.dims });
    const value = knownValue(tensor);
    if (value) this.values.set(name, value);
  }

  #inferNode(node: Node, index: number): readonly (TensorType | undefined)[] {
    const { model } = this.#run;
    const opset = opsetVersion(model.opsets, node.domain);
    const operator = findOperator(node.domain, node.opType, opset);
    if (operator === undefined) {
      this.#reportUnknown(node, opset, index);
      return [];
    }
    const context = this.#context(node, opset, index);
    const arity = arityProblem(operator, node);
    if (arity !== undefined) {
      context.problem(arity);
      return [];
    }
    const types = this.#attempt(context, () => operator.infer(context)) ?? [];
    const values = this.#attempt(context, () => this.#elements(operator, context, types)) ?? [];
    for (const [position, name] of node.outputs.entries()) {
      const value = values[position];
      if (name !== '' && value && value.elements.length <= PARTIAL_VALUE_MAX_ELEMENTS) {
        this.values.set(name, value);
      }
    }
    return types;
  }

  #context(node: Node, opset: number, index: number): InferContext {
    const at = { graph: this.#path, node: node.name || `#${index} ${node.opType}` };
    return {
      node,
      opset,
      attributes: readAttributes(node),
      types: node.inputs.map((name) => (name === '' ? undefined : this.type(name))),
      values: node.inputs.map((name) => (name === '' ? undefined : this.value(name))),
      inferGraph: (graph, inputs) => this.#inferGraph(node, graph, inputs),
      freshDim: (hint) => symbolDim(`${hint}:${node.outputs.find((name) => name !== '') ?? index}`),
      bound: (dim) => boundDim(dim, this.#run.bounds),
      problem: (message) => {
        const text = `${node.opType}: ${message}.`;
        this.#run.diagnostics.push({ severity: 'warning', code: 'shape-inference', message: text, at });
      },
    };
  }

  /** A node that breaks its operator's rules is a finding about the model, not a reason to stop. */
  #attempt<T>(context: InferContext, action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof CompilerError || error instanceof RangeError)) throw error;
      context.problem(error.message.replace(/\.$/, ''));
      return undefined;
    }
  }

  #inferGraph(
    node: Node,
    graph: Graph,
    inputs: readonly (TensorType | undefined)[],
  ): readonly (TensorType | undefined)[] {
    const inner = new TypeScope(this.#run, `${this.#path}/${node.name || node.opType}.${graph.name}`, this);
    for (const [position, input] of graph.inputs.entries()) {
      const type = withDeclared(inputs[position], declaredType(input));
      if (type) inner.types.set(input.name, type);
    }
    inner.infer(graph);
    this.#run.subgraphs.set(graph, inner.types);
    return graph.outputs.map((output) => inner.type(output.name));
  }

  #elements(
    operator: OpDefinition,
    context: InferContext,
    types: readonly (TensorType | undefined)[],
  ): readonly (PartialValue | undefined)[] {
    if (operator.propagate) {
      const values = operator.propagate(context);
      if (values.some((value) => value !== undefined)) return values;
    }
    if (!isSmall(types)) return [];
    if (isFullyKnown(context)) {
      const inputs = context.values.map((value) => value && toTensor(toNdArray(value)));
      return evaluateNode(this.#run.model.opsets, context.node, inputs)?.map(knownValue) ?? [];
    }
    const { evaluate } = operator;
    if (operator.moves === undefined || evaluate === undefined) return [];
    return propagateMoves(operator, context, (inputs) => evaluate(movesContext(context, inputs)));
  }

  #reportUnknown(node: Node, opset: number, index: number): void {
    const name = [node.domain, node.opType].filter((part) => part !== '').join('.');
    if (this.#run.unknownOps.has(name)) return;
    this.#run.unknownOps.add(name);
    this.#run.diagnostics.push({
      severity: 'warning',
      code: 'unsupported-op',
      message: `${name} (version ${opset}) has no shape inference; declared types are used where there are any.`,
      at: { graph: this.#path, node: node.name || `#${index} ${node.opType}` },
    });
  }
}

/** Whether all outputs are known to be small enough to be followed. */
function isSmall(types: readonly (TensorType | undefined)[]): boolean {
  return (
    types.length > 0 &&
    types.every((type) => {
      const dims = type?.shape;
      if (dims === undefined || !dims.every((dim) => typeof dim === 'number')) return false;
      return elementCount(dims) <= PARTIAL_VALUE_MAX_ELEMENTS;
    })
  );
}

function isFullyKnown(context: InferContext): boolean {
  return context.node.inputs.every(
    (name, index) =>
      name === '' || context.values[index]?.elements.every((element) => typeof element === 'number') === true,
  );
}

function toNdArray(value: PartialValue): NdArray {
  return fromNumbers(value.dtype, value.dims, value.elements as readonly number[]);
}

/** Of tensors asked for before: every pass infers types anew, and most constants stay. */
const knownValues = new WeakMap<Tensor, PartialValue>();

/** The elements of a small numeric constant. */
function knownValue(tensor: Tensor): PartialValue | undefined {
  if (tensor.kind !== 'dense' || !isEvaluable(tensor.dtype)) return undefined;
  if (elementCount(tensor.dims) > PARTIAL_VALUE_MAX_ELEMENTS) return undefined;
  const { dtype, dims } = tensor;
  const known = knownValues.get(tensor) ?? { dtype, dims, elements: toNumbers(fromTensor(tensor)) };
  knownValues.set(tensor, known);
  return known;
}

/** An evaluation context over stand-ins; operators that move elements run no subgraphs. */
function movesContext(context: InferContext, inputs: readonly (NdArray | undefined)[]): EvaluateContext {
  return {
    node: context.node,
    opset: context.opset,
    attributes: context.attributes,
    inputs,
    input(index) {
      const value = inputs[index];
      if (value) return value;
      throw new RangeError(`input ${index} is missing`);
    },
    runGraph: () => {
      throw new RangeError('a subgraph moves no elements');
    },
  };
}

/** What inference found, completed by what the model declares. */
function withDeclared(
  inferred: TensorType | undefined,
  declared: TensorType | undefined,
): TensorType | undefined {
  if (inferred === undefined || declared === undefined) return inferred ?? declared;
  const { shape } = declared;
  if (shape === undefined) return inferred;
  if (inferred.shape === undefined) return { ...inferred, shape };
  if (inferred.shape.length !== shape.length) return inferred;
  return { ...inferred, shape: inferred.shape.map((dim, axis) => dim ?? shape[axis] ?? null) };
}
