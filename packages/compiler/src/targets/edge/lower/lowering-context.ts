import { CompilerError } from '../../../diagnostics/index.ts';
import type { Graph, Node, Shape, ValueInfo } from '../../../ir/index.ts';
import { readAttributes } from '../../../ops/index.ts';
import type { ConstantStore } from '../weights/constant-store.ts';
import type {
  Program,
  ProgramInput,
  ProgramOutput,
  Quantized,
  StaticRange,
  Step,
} from '../program/program.ts';
import {
  copyLoops,
  denseRow,
  innermostDim,
  isSameLayout,
  isWhole,
  restride,
  viewRows,
  type TensorView,
} from '../program/tensor-view.ts';
import { padRows } from '../weights/int4.ts';
import { elementKind, rowStride, type ElementKind, type Rows, type Value } from '../program/value.ts';

/** Inputs that the runtime fills in when the caller leaves them out. */
const INPUT_DEFAULTS: Readonly<Record<string, 'ones' | 'zeros'>> = {
  attention_mask: 'ones',
  token_type_ids: 'zeros',
};

/** Types of whole numbers that are indices. */
const WHOLE_TYPES: ReadonlySet<string> = new Set(['int32', 'int64']);

export interface LowerOptions {
  /** Most tokens of an input. */
  readonly maxSequence: number;
  /** Where the constants go. */
  readonly constants: ConstantStore;
}

/** A map with channels innermost: [1, columns, height, width] in the graph, or [1, columns, width] with a height of 1. */
export interface MapView {
  readonly x: Value;
  readonly height: number;
  readonly width: number;
}

/** What lowering has made so far: tensors by the names of the graph, and steps. */
export class LoweringContext {
  readonly constants: ConstantStore;
  readonly opsets: ReadonlyMap<string, number>;
  readonly #graph: Graph;
  readonly #maxSequence: number;
  readonly #tensors = new Map<string, TensorView>();
  /** Copies of views in a layout that a kernel wanted. */
  readonly #copies = new Map<Value, Map<string, Value>>();
  readonly #quantized = new Map<Value, Quantized[]>();
  readonly #keyBias = new Map<Value | undefined, Value>();
  readonly #consumers = new Map<string, { node: Node; slot: number }[]>();
  /** Of tensors whose first dimension has fewer positions in a run than their buffer. */
  readonly #counts = new Map<string, Value>();
  readonly #steps: Step[] = [];
  readonly #inputs: ProgramInput[] = [];

  constructor(graph: Graph, opsets: ReadonlyMap<string, number>, { maxSequence, constants }: LowerOptions) {
    this.#graph = graph;
    this.opsets = opsets;
    this.#maxSequence = maxSequence;
    this.constants = constants;
    for (const node of graph.nodes) {
      node.inputs.forEach((name, slot) => {
        this.#consumers.set(name, [...(this.#consumers.get(name) ?? []), { node, slot }]);
      });
    }
    for (const input of graph.inputs) {
      if (!graph.initializers.has(input.name)) this.#defineInput(input);
    }
  }

  /** A tensor of float32 with fixed dimensions, or one whole number per token. */
  #defineInput({ name, type }: ValueInfo): void {
    const dims = type?.kind === 'tensor' && type.dtype === 'float32' ? fixedDims(type.shape) : undefined;
    if (dims?.includes(0))
      throw new CompilerError('unsupported', `Input "${name}" is empty: [${dims.join(', ')}].`, {
        at: { value: name },
        hint: 'Give it elements, or remove it from the model.',
      });
    const shape: readonly Rows[] = dims ?? [1, 'sequence'];
    const value: Value = dims
      ? { name, kind: 'dense', rows: 1, columns: dims.reduce((product, dim) => product * dim, 1) }
      : { name, kind: 'int', rows: 'sequence', columns: 1 };
    this.#tensors.set(name, viewRows(value, shape));
    this.#inputs.push({ name, value, shape, default: dims ? undefined : INPUT_DEFAULTS[name] });
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

  isConstant(node: Node, slot: number): boolean {
    return this.#graph.initializers.has(node.inputs[slot] ?? '');
  }

  /** The tensor in an input slot; a node's operands are all made before it. */
  tensor(node: Node, slot: number): TensorView {
    const name = node.inputs[slot] ?? '';
    const view = this.#tensors.get(name) ?? (this.isConstant(node, slot) ? this.#load(name) : undefined);
    if (view) return view;
    throw refuse(node, `its input "${name}" is an unsupported value`);
  }

  /** A constant of float32 or of whole numbers as a tensor like the others, where an operator can do nothing better with it. */
  #load(name: string): TensorView {
    const dims = this.constants.dims(name);
    const columns = dims.at(-1) ?? 1;
    const rows = dims.reduce((product, dim) => product * dim, 1) / columns;
    const isIndex = WHOLE_TYPES.has(this.constants.tensor(name).dtype);
    const output: Value = { name, kind: isIndex ? 'index' : 'float', rows, columns };
    const address = isIndex
      ? this.constants.indices(name)
      : this.constants.packed(name, 'rows', (values) => padRows(values, columns, rowStride(output)));
    this.emit({ op: 'load', address, output });
    const view = viewRows(output, dims);
    this.#tensors.set(name, view);
    return view;
  }

  /** An input whose last dimension lies along the rows of a buffer and whose other dimensions are its rows. */
  input(node: Node, slot: number): Value {
    const view = this.tensor(node, slot);
    const { kind } = view.value;
    return kind === 'float' || kind === 'dense' || kind === 'bytes' ? this.rows(node, view) : view.value;
  }

  optionalInput(node: Node, slot: number): Value | undefined {
    return node.inputs[slot] ? this.input(node, slot) : undefined;
  }

  isBytes(node: Node, slot: number): boolean {
    return this.tensor(node, slot).value.kind === 'bytes';
  }

  /** Whether a tensor holds whole numbers that the program has computed. */
  isIndex(name: string): boolean {
    return this.#tensors.get(name)?.value.kind === 'index';
  }

  /** How many positions of a tensor's first dimension there are in a run; undefined: all. */
  countOf(name: string): Value | undefined {
    return this.#counts.get(name);
  }

  setCount(name: string, count: Value): void {
    this.#counts.set(name, count);
  }

  hasTokens(node: Node, slot: number): boolean {
    return this.tensor(node, slot).dims.includes('sequence');
  }

  /** A map in the layout that windows move over. */
  map(node: Node, slot: number, kind: 'bytes' | 'float'): MapView {
    const view = this.tensor(node, slot);
    const [batch, , ...space] = view.dims;
    if ((space.length !== 1 && space.length !== 2) || batch !== 1)
      throw refuse(node, `its input "${node.inputs[slot]}" is no map [1, channels, height, width]`);
    const [height, width] = space.length === 1 ? [1, space[0]] : space;
    if ((view.value.kind === 'bytes') !== (kind === 'bytes'))
      throw refuse(node, `its input "${node.inputs[slot]}" is ${kind === 'bytes' ? 'not ' : ''}quantized`);
    return { x: this.rows(node, view, 1), height: height as number, width: width as number };
  }

  /** A buffer with one dimension of the tensor along its rows and the others over them; copied where it is not so. */
  rows(node: Node, view: TensorView, columnDim: number = view.dims.length - 1): Value {
    const { value, dims } = view;
    const columns = (dims[columnDim] ?? 1) as number;
    const isWanted = value.columns === columns && isSameLayout(view, viewRows(value, dims, columnDim));
    if (value.kind !== 'dense' && isWanted && isWhole(view)) return value;
    const copies = this.#copies.get(value) ?? new Map<string, Value>();
    this.#copies.set(value, copies);
    const key = JSON.stringify([columnDim, dims, view.offset, view.axes]);
    const known = copies.get(key);
    if (known) return known;
    const output: Value = {
      name: `${value.name}.copy`,
      kind: elementKind(value),
      rows: productOf(node, dims) / columns,
      columns,
    };
    this.copy(node, view, viewRows(output, dims, columnDim));
    copies.set(key, output);
    return output;
  }

  /** The tensor in an input slot as all of a buffer, in whatever order. */
  whole(node: Node, slot: number): TensorView {
    const view = this.tensor(node, slot);
    return isWhole(view) ? view : this.relaid(node, view, innermostDim(view));
  }

  /** A tensor with one dimension along the rows of its buffer. */
  relaid(node: Node, view: TensorView, columnDim: number): TensorView {
    return viewRows(this.rows(node, view, columnDim), view.dims, columnDim);
  }

  /** The view that `find` makes of a copy without gaps, in the tensor's order; no copy where it makes none. */
  dense(
    node: Node,
    view: TensorView,
    find: (value: Value) => TensorView | undefined,
  ): TensorView | undefined {
    const dims = [productOf(node, view.dims)];
    const kind = elementKind(view.value);
    const value: Value = { name: `${view.value.name}.dense`, kind, rows: 1, columns: dims[0]! };
    const found = find(value);
    if (found) this.copy(node, view, denseRow(value, view.dims as number[]));
    return found;
  }

  /** Copies a tensor to a place of equal dimensions. */
  copy(
    node: Node,
    from: TensorView,
    to: TensorView,
    { table, isInFilled = false }: { table?: number | undefined; isInFilled?: boolean } = {},
  ): void {
    const loops = copyLoops(from, to);
    if (!loops) throw refuse(node, 'its elements do not lie at regular distances');
    const { value: x } = from;
    this.emit({ op: 'copy', x, loops, list: undefined, table, isInFilled, output: to.value });
  }

  /** Refuses a node with an output that it has not given, but which somebody reads. */
  checkOutputs({ outputs, ...node }: Node): void {
    const missing = outputs.find((name) => name !== '' && !this.#tensors.has(name) && this.#isRead(name));
    if (missing !== undefined) throw refuse({ outputs, ...node }, `its output "${missing}" is not supported`);
  }

  #isRead(name: string): boolean {
    return this.#consumers.has(name) || this.#graph.outputs.some((output) => output.name === name);
  }

  /** Gives one of a node's outputs. */
  define(node: Node, view: TensorView, slot = 0): void {
    if (view.dims.includes(0)) throw refuse(node, 'an output without elements is not supported');
    this.#tensors.set(node.outputs[slot]!, view);
  }

  /** Defines a node's output: a buffer of its own, with one dimension along its rows. */
  output(
    node: Node,
    shape: Omit<Value, 'name'>,
    dims: readonly Rows[] = [1, shape.rows, shape.columns],
    columnDim?: number,
  ): Value {
    const value: Value = { name: node.outputs[0]!, ...shape };
    this.define(node, viewRows(value, dims, columnDim));
    return value;
  }

  /** Defines a node's output as a map. */
  mapOutput(
    node: Node,
    kind: 'bytes' | 'float',
    [columns, ...space]: readonly [channels: number, ...space: number[]],
    overhang = 0,
  ): Value {
    const rows = space.reduce((product, extent) => product * extent, 1);
    return this.output(node, { kind, rows, columns, overhang }, [1, columns, ...space], 1);
  }

  /** Defines a node's output with the positions of a whole tensor in a buffer of its own. */
  outputAs(node: Node, like: TensorView, kind: ElementKind = 'float'): Value {
    const { rows, columns, pixelBytes } = like.value;
    const isSameKind = kind === 'bytes' && like.value.kind === 'bytes' && pixelBytes !== undefined;
    const value: Value = {
      name: node.outputs[0]!,
      kind,
      rows,
      columns,
      ...(isSameKind && { pixelBytes }),
    };
    this.define(node, restride(like, value));
    return value;
  }

  /** Defines a node's output with the dimensions of an input, the last one but. */
  outputLike(node: Node, slot: number, columns: number, overhang = 0): Value {
    const { dims } = this.tensor(node, slot);
    const { rows } = this.input(node, slot);
    return this.output(node, { kind: 'float', rows, columns, overhang }, dims.with(-1, columns));
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
    const outputs = this.#graph.outputs.map((output) => this.#finishOutput(output));
    const used = new Set(this.#steps.flatMap((step) => Object.values(step) as unknown[]));
    return {
      maxSequence: this.#maxSequence,
      inputs: this.#inputs.filter(({ value }) => used.has(value)),
      outputs,
      steps: this.#steps,
    };
  }

  #finishOutput({ name }: ValueInfo): ProgramOutput {
    const view = this.#tensors.get(name);
    if (!view)
      throw new CompilerError('unsupported', `Output "${name}" is a constant.`, { at: { value: name } });
    if (view.value.kind === 'bytes' || view.value.kind === 'int')
      throw new CompilerError('unsupported', `Output "${name}" is not float32.`, {
        at: { value: name },
        hint: 'Put a DequantizeLinear behind it, or use the onnx target.',
      });
    const node = this.#graph.nodes.find(({ outputs }) => outputs.includes(name))!;
    return { name, value: this.rows(node, view), shape: view.dims, count: this.#counts.get(name) };
  }
}

/** `domain.opType`, without the domain for ai.onnx. */
export function operatorName(node: Node): string {
  return node.domain === '' ? node.opType : `${node.domain}.${node.opType}`;
}

export function refuse(
  node: Node,
  why: string,
  hint = 'Use the onnx target: onnxruntime runs the package.',
): CompilerError {
  const name = node.name || node.outputs.find((output) => output !== '') || node.opType;
  return new CompilerError('unsupported', `The engine cannot run ${node.opType} "${name}": ${why}.`, {
    at: { node: name },
    hint,
  });
}

function productOf(node: Node, dims: readonly Rows[]): number {
  return dims.reduce<number>((product, dim) => {
    if (dim === 'sequence') throw refuse(node, 'tokens can only be processed in the order they come');
    return product * dim;
  }, 1);
}

function fixedDims(shape: Shape | undefined): number[] | undefined {
  const isFixed = shape?.every((dim) => typeof dim === 'number') === true;
  return isFixed ? (shape as number[]) : undefined;
}
