import { CompilerError } from '../../diagnostics/index.ts';
import type { Graph, Node, Shape, ValueInfo } from '../../ir/index.ts';
import { readAttributes } from '../../ops/index.ts';
import type { ConstantStore } from './constant-store.ts';
import type {
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

export interface LowerOptions {
  /** Most tokens of an input. */
  readonly maxSequence: number;
  /** Where the constants go. */
  readonly constants: ConstantStore;
}

/** What lowering has made so far: values by the names of the graph, and steps. */
export class LoweringContext {
  readonly constants: ConstantStore;
  readonly #graph: Graph;
  readonly #maxSequence: number;
  readonly #values = new Map<string, Value>();
  /** Shapes without rows: `[1, columns]` instead of `[1, rows, columns]`. */
  readonly #flat = new Set<Value>();
  readonly #quantized = new Map<Value, Quantized[]>();
  readonly #keyBias = new Map<Value | undefined, Value>();
  readonly #consumers = new Map<string, { node: Node; slot: number }[]>();
  readonly #imageRows = new Map<Value, Value>();
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
    for (const input of graph.inputs) {
      if (!graph.initializers.has(input.name)) this.#defineInput(input);
    }
  }

  /** An image [1, channels, height, width] of float32, or one whole number per token. */
  #defineInput({ name, type }: ValueInfo): void {
    const image = type?.kind === 'tensor' && type.dtype === 'float32' ? imageShape(type.shape) : undefined;
    if (image) {
      const [channels, height, width] = image;
      const value: Value = {
        name,
        kind: 'image',
        rows: height * width,
        columns: channels * height * width,
        width,
      };
      this.#values.set(name, value);
      this.#inputs.push({ name, value, shape: [1, ...image], default: undefined });
    } else {
      const value: Value = { name, kind: 'int', rows: 'sequence', columns: 1 };
      this.#values.set(name, value);
      this.#inputs.push({ name, value, shape: [1, 'sequence'], default: INPUT_DEFAULTS[name] });
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

  /** Gives a node's output the value of another. */
  alias(node: Node, value: Value, flat: boolean): void {
    this.#values.set(node.outputs[0]!, value);
    if (flat) this.#flat.add(value);
  }

  isBytes(node: Node, slot: number): boolean {
    return this.input(node, slot).kind === 'bytes';
  }

  /** A map of float32; an image is laid out as one first. */
  floatMap(node: Node, slot: number): Value {
    const x = this.input(node, slot);
    if (x.kind === 'float' && x.width !== undefined) return x;
    if (x.kind !== 'image') throw refuse(node, `its input "${x.name}" is not a map`);
    const known = this.#imageRows.get(x);
    if (known) return known;
    const rows = x.rows as number;
    const output: Value = {
      name: `${x.name}.rows`,
      kind: 'float',
      rows,
      columns: x.columns / rows,
      width: x.width!,
    };
    this.#imageRows.set(x, output);
    this.emit({ op: 'image-rows', x, output });
    return output;
  }

  isFlat(value: Value): boolean {
    return this.#flat.has(value);
  }

  /** An output with the rows and the rank of `like`. */
  outputLike(node: Node, like: Value, columns: number = like.columns, overhang = 0): Value {
    const { rows, width } = like;
    const shape = { kind: 'float', rows, columns, overhang, ...(width !== undefined && { width }) } as const;
    return this.output(node, shape, this.isFlat(like));
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

/** `domain.opType`, without the domain for ai.onnx. */
export function operatorName(node: Node): string {
  return node.domain === '' ? node.opType : `${node.domain}.${node.opType}`;
}

export function refuse(node: Node, why: string): CompilerError {
  return new CompilerError('unsupported', `The engine cannot run ${node.opType} "${node.name}": ${why}.`, {
    at: { node: node.name || node.opType },
    hint: 'Use the onnx target: onnxruntime runs the package.',
  });
}

function imageShape(shape: Shape | undefined): [number, number, number] | undefined {
  const [batch, ...dims] = shape ?? [];
  const isImage = batch === 1 && dims.length === 3 && dims.every((dim) => typeof dim === 'number');
  return isImage ? (dims as [number, number, number]) : undefined;
}
