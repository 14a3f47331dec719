import { CompilerError, type Diagnostic } from '../../diagnostics/index.ts';
import type { Graph, Model, Node } from '../../ir/index.ts';
import { readAttributes, type AttributeReader } from '../../ops/index.ts';
import { roundUp } from './plan-memory.ts';
import type { ConstantStore } from './constant-store.ts';
import type {
  Activation,
  Norm,
  Program,
  ProgramInput,
  ProgramOutput,
  Quantized,
  Rows,
  StaticRange,
  Step,
  Value,
} from './program.ts';

/** Inputs that the runtime fills in when the caller leaves them out. */
const INPUT_DEFAULTS: Readonly<Record<string, 'ones' | 'zeros'>> = {
  attention_mask: 'ones',
  token_type_ids: 'zeros',
};

const UNARY: Readonly<Record<string, UnaryActivation>> = { Relu: 'relu', Tanh: 'tanh', Sigmoid: 'sigmoid' };

export interface LowerOptions {
  /** Most tokens of an input. */
  readonly maxSequence: number;
  /** Where the constants go. */
  readonly constants: ConstantStore;
}

type UnaryActivation = Exclude<Activation, 'none'>;
type Lowering = (context: Context, node: Node) => void;

/** What each operator becomes; an operator that is not here cannot run on the engine. */
const LOWERINGS: Readonly<Record<string, Lowering>> = {
  'edgewise.EmbedLayerNorm': lowerEmbed,
  'edgewise.Linear': lowerLinear,
  'edgewise.QuantizedLinear': lowerQuantizedLinear,
  'edgewise.Attention': lowerAttention,
  'edgewise.LayerNorm': lowerLayerNorm,
  'edgewise.AddLayerNorm': lowerLayerNorm,
  'edgewise.Gelu': lowerGelu,
  Relu: lowerUnary,
  Tanh: lowerUnary,
  Sigmoid: lowerUnary,
  Add: lowerAdd,
  Gather: lowerGather,
};

/** Why the engine cannot run the model: all reasons at once, empty when it can. */
export function listUnsupported(model: Model): Diagnostic[] {
  const nodes = new Map<string, Node[]>();
  for (const node of model.graph.nodes) {
    if (!(operatorName(node) in LOWERINGS)) {
      nodes.set(operatorName(node), [...(nodes.get(operatorName(node)) ?? []), node]);
    }
  }
  return [...nodes].map(([operator, of]) => ({
    severity: 'error',
    code: 'unsupported-op',
    message: `The engine has no kernel for ${operator} (${of.length} ${of.length === 1 ? 'node' : 'nodes'}).`,
    at: { node: of[0]!.name || operator },
    hint: 'Use the onnx target: onnxruntime runs the package.',
  }));
}

/**
 * Turns a compact graph (docs/architecture.md, section 4) with batch size 1 into steps of the engine and puts its
 * constants into the store.
 *
 * @throws CompilerError `unsupported` with every reason when the engine cannot run the model.
 */
export function lowerModel(model: Model, options: LowerOptions): Program {
  const unsupported = listUnsupported(model);
  if (unsupported[0]) {
    throw new CompilerError('unsupported', unsupported[0].message, { diagnostics: unsupported });
  }
  const context = new Context(model.graph, options);
  for (const node of model.graph.nodes) LOWERINGS[operatorName(node)]!(context, node);
  return context.finish();
}

function operatorName(node: Node): string {
  return node.domain === '' ? node.opType : `${node.domain}.${node.opType}`;
}

class Context {
  readonly constants: ConstantStore;
  readonly #graph: Graph;
  readonly #maxSequence: number;
  readonly #values = new Map<string, Value>();
  /** Shapes without rows: `[1, columns]` instead of `[1, rows, columns]`. */
  readonly #flat = new Set<Value>();
  readonly #quantized = new Map<Value, Quantized[]>();
  readonly #keyBias = new Map<Value | undefined, Value>();
  readonly #consumers = new Map<string, { node: Node; slot: number }[]>();
  readonly #steps: Step[] = [];
  readonly #inputs: ProgramInput[] = [];

  constructor(graph: Graph, { maxSequence, constants }: LowerOptions) {
    this.#graph = graph;
    this.#maxSequence = maxSequence;
    this.constants = constants;
    for (const node of graph.nodes) {
      node.inputs.forEach((name, slot) => {
        this.#consumers.set(name, [...(this.#consumers.get(name) ?? []), { node, slot }]);
      });
    }
    for (const { name } of graph.inputs) {
      if (graph.initializers.has(name)) continue;
      const value: Value = { name, kind: 'int', rows: 'sequence', columns: 1 };
      this.#values.set(name, value);
      this.#inputs.push({ name, value, default: INPUT_DEFAULTS[name] });
    }
  }

  emit(step: Step): void {
    this.#steps.push(step);
  }

  /** Refuses a model whose positions end before the longest input does. */
  checkLength(positions: number): void {
    if (this.#maxSequence <= positions) return;
    throw new CompilerError(
      'bad-option',
      `maxSequence is ${this.#maxSequence}, but the model has positions for ${positions} tokens only.`,
      { hint: `Choose a maxSequence of at most ${positions}.` },
    );
  }

  /** The value of an input slot; a node's operands are all made before it. */
  input(node: Node, slot: number): Value {
    const name = node.inputs[slot] ?? '';
    const value = this.#values.get(name);
    if (value) return value;
    throw refuse(node, `its input "${name}" is a constant or an unsupported value`);
  }

  optionalInput(node: Node, slot: number): Value | undefined {
    return node.inputs[slot] ? this.input(node, slot) : undefined;
  }

  /** Defines a node's output. */
  output(node: Node, shape: Omit<Value, 'name'>, flat = false): Value {
    const value: Value = { name: node.outputs[0]!, ...shape };
    this.#values.set(value.name, value);
    if (flat) this.#flat.add(value);
    return value;
  }

  isFlat(value: Value): boolean {
    return this.#flat.has(value);
  }

  /** An output with the rows and the rank of `like`. */
  outputLike(node: Node, like: Value, columns = like.columns, overhang = 0): Value {
    return this.output(node, { kind: 'float', rows: like.rows, columns, overhang }, this.isFlat(like));
  }

  /** Heads of the one attention that uses a value, as its values and nothing else; undefined in other cases. */
  headsOfValues(name: string): number | undefined {
    const [use, ...more] = this.#consumers.get(name) ?? [];
    if (!use || more.length > 0 || this.#graph.outputs.some((output) => output.name === name))
      return undefined;
    const isValues = operatorName(use.node) === 'edgewise.Attention' && use.slot === 2;
    return isValues ? readAttributes(use.node).int('num_heads') : undefined;
  }

  /** The bytes of a value; made where the value is made when a kernel can, else by a step of their own. */
  quantized(x: Value, range: StaticRange | undefined): Value {
    const known = this.#quantized.get(x) ?? [];
    const same = known.find(
      (q) => q.range?.scale === range?.scale && q.range?.zeroPoint === range?.zeroPoint,
    );
    if (same) return same.value;
    const value: Value = { name: `${x.name}.quantized`, kind: 'quantized', rows: x.rows, columns: x.columns };
    const quantized: Quantized = { value, range };
    this.#quantized.set(x, [...known, quantized]);
    const producer = this.#steps.find((step) => 'output' in step && step.output === x);
    if ((producer?.op === 'layer-norm' || producer?.op === 'embed') && !producer.quantized) {
      producer.quantized = quantized;
    } else {
      this.emit({ op: 'quantize', x, quantized });
    }
    return value;
  }

  /** What attentions add to the scores of their keys: one value for all attentions with the same mask. */
  keyBias(mask: Value | undefined, rows: Rows): Value {
    const known = this.#keyBias.get(mask);
    if (known) return known;
    const output: Value = { name: `${mask?.name ?? 'keys'}.bias`, kind: 'key-bias', rows, columns: 1 };
    this.#keyBias.set(mask, output);
    this.emit({ op: 'key-bias', mask, output });
    return output;
  }

  finish(): Program {
    const outputs = this.#graph.outputs.map(({ name }): ProgramOutput => {
      const value = this.#values.get(name);
      if (!value)
        throw new CompilerError('unsupported', `Output "${name}" is a constant.`, { at: { value: name } });
      return {
        name,
        value,
        shape: this.#flat.has(value) ? [1, value.columns] : [1, value.rows, value.columns],
      };
    });
    const used = new Set(this.#steps.flatMap((step) => Object.values(step) as unknown[]));
    return {
      maxSequence: this.#maxSequence,
      inputs: this.#inputs.filter(({ value }) => used.has(value)),
      outputs,
      steps: this.#steps,
    };
  }
}

function lowerEmbed(context: Context, node: Node): void {
  const attributes = readAttributes(node);
  const ids = context.input(node, 0);
  const { constants } = context;
  const table = (slot: number, scaleSlot: number) =>
    node.inputs[slot] ? constants.table(node.inputs[slot], node.inputs[scaleSlot] ?? '') : undefined;
  const word = table(2, 7)!;
  const position = table(3, 8);
  const paddingIndex =
    attributes.string('position', 'arange') === 'offset-nonpad' ? attributes.int('padding_index') : undefined;
  if (position) context.checkLength(position.rows - (paddingIndex === undefined ? 0 : paddingIndex + 1));
  context.emit({
    op: 'embed',
    ids,
    tokenTypes: context.optionalInput(node, 1),
    word,
    position,
    paddingIndex,
    tokenType: table(4, -1),
    norm: norm(context, attributes, node.inputs[5]!, node.inputs[6]!),
    output: context.output(node, {
      kind: 'float',
      rows: ids.rows,
      columns: constants.dims(node.inputs[2]!)[1]!,
    }),
    quantized: undefined,
  });
}

function lowerLinear(context: Context, node: Node): void {
  const x = context.input(node, 0);
  const weight = context.constants.floatWeight(node.inputs[1]!, node.inputs[2] ?? '');
  const activation = readActivation(node);
  context.emit({ op: 'linear', x, weight, activation, output: linearOutput(context, node, x, weight.n) });
}

function lowerQuantizedLinear(context: Context, node: Node): void {
  const [, weightName = '', scale = '', bias = '', multiplier = '', xScale = '', xZeroPoint = ''] =
    node.inputs;
  const x = context.input(node, 0);
  const weight = context.constants.quantizedWeight({ weight: weightName, scale, bias, multiplier });
  const range: StaticRange | undefined = xScale
    ? { scale: context.constants.scalar(xScale), zeroPoint: context.constants.scalar(xZeroPoint) }
    : undefined;
  const activation = readActivation(node);
  const quantized = context.quantized(x, range);
  const output = linearOutput(context, node, x, weight.n);
  context.emit({ op: 'linear', x: quantized, weight, activation, output });
}

/** The value operand of an attention is written in the attention's layout at once, where the layouts agree. */
function linearOutput(context: Context, node: Node, x: Value, columns: number): Value {
  const heads = context.headsOfValues(node.outputs[0]!);
  const isAligned = heads !== undefined && (columns / heads) % 8 === 0;
  if (!isAligned) return context.outputLike(node, x, columns);
  return context.output(node, { kind: 'values', rows: x.rows, columns });
}

function lowerAttention(context: Context, node: Node): void {
  const attributes = readAttributes(node);
  const heads = attributes.int('num_heads');
  const query = context.input(node, 0);
  const scale = attributes.float('scale', 1 / Math.sqrt(query.columns / heads));
  const keys = packed(context, context.input(node, 1), 'keys', heads);
  const values = packed(context, context.input(node, 2), 'values', heads);
  const keyBias = context.keyBias(context.optionalInput(node, 3), keys.rows);
  // The kernel writes the columns of a head in whole panels.
  const overhang = roundUp(query.columns / heads, 8) - query.columns / heads;
  const output = context.outputLike(node, query, query.columns, overhang);
  context.emit({ op: 'attention', query, keys, values, keyBias, heads, scale, output });
}

function packed(context: Context, x: Value, kind: 'keys' | 'values', heads: number): Value {
  if (x.kind === kind) return x;
  const columns = kind === 'keys' ? x.columns : heads * roundUp(x.columns / heads, 8);
  const output: Value = { name: `${x.name}.${kind}`, kind, rows: x.rows, columns };
  context.emit({ op: kind === 'keys' ? 'pack-keys' : 'pack-values', x, heads, output });
  return output;
}

function lowerLayerNorm(context: Context, node: Node): void {
  const hasSkip = node.opType === 'AddLayerNorm';
  const x = context.input(node, 0);
  const [gamma = '', beta = ''] = node.inputs.slice(hasSkip ? 2 : 1);
  context.emit({
    op: 'layer-norm',
    x,
    skip: hasSkip ? context.input(node, 1) : undefined,
    norm: norm(context, readAttributes(node), gamma, beta),
    output: context.outputLike(node, x),
    quantized: undefined,
  });
}

function norm(context: Context, attributes: AttributeReader, gamma: string, beta: string): Norm {
  return {
    gamma: context.constants.vector(gamma),
    beta: context.constants.vector(beta),
    epsilon: attributes.float('epsilon', 1e-5),
  };
}

function lowerGelu(context: Context, node: Node): void {
  const tanh = readAttributes(node).string('approximate', 'none') === 'tanh';
  lowerActivation(context, node, tanh ? 'gelu_tanh' : 'gelu');
}

function lowerUnary(context: Context, node: Node): void {
  lowerActivation(context, node, UNARY[node.opType]!);
}

function lowerActivation(context: Context, node: Node, activation: UnaryActivation): void {
  const x = context.input(node, 0);
  context.emit({ op: 'activation', x, activation, output: context.outputLike(node, x) });
}

function lowerAdd(context: Context, node: Node): void {
  const x = context.input(node, 0);
  const y = context.input(node, 1);
  if (x.rows !== y.rows || x.columns !== y.columns) throw refuse(node, 'its operands have different shapes');
  context.emit({ op: 'add', x, y, output: context.outputLike(node, x) });
}

function lowerGather(context: Context, node: Node): void {
  const x = context.input(node, 0);
  const row = context.constants.scalar(node.inputs[1] ?? '');
  const isScalar = context.constants.dims(node.inputs[1]!).length === 0;
  if (readAttributes(node).int('axis', 0) !== 1 || row < 0) {
    throw refuse(node, 'only a Gather of one row (axis 1, index from the start) is supported');
  }
  context.emit({
    op: 'pick-row',
    x,
    row,
    output: context.output(node, { kind: 'float', rows: 1, columns: x.columns }, isScalar),
  });
}

function readActivation(node: Node): Activation {
  return readAttributes(node).string('activation', 'none') as Activation;
}

function refuse(node: Node, why: string): CompilerError {
  return new CompilerError('unsupported', `The engine cannot run ${node.opType} "${node.name}": ${why}.`, {
    at: { node: node.name || node.opType },
    hint: 'Use the onnx target: onnxruntime runs the package.',
  });
}
