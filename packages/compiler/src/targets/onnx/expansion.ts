import { CompilerError } from '../../diagnostics/index.ts';
import {
  float32Tensor,
  int64Tensor,
  type Attribute,
  type DenseTensor,
  type Node,
  type Tensor,
} from '../../ir/index.ts';
import type { Edit, GraphView } from '../../rewrite/index.ts';
import { attributes } from '../../transforms/node-attributes.ts';

export const MICROSOFT_DOMAIN = 'com.microsoft';

export interface ExpansionOptions {
  /** Version of ai.onnx to write for. */
  readonly opset: number;
  /** Whether operators of com.microsoft may be used. */
  readonly contrib: boolean;
}

type AttributeValues = Readonly<Record<string, number | bigint | string | readonly bigint[]>>;

/** The nodes and constants that take the place of one edgewise node. */
export class Expansion {
  readonly node: Node;
  readonly options: ExpansionOptions;
  readonly #index: GraphView;
  readonly #nodes: Node[] = [];
  readonly #initializers = new Map<string, Tensor>();
  readonly #names = new Set<string>();

  constructor(node: Node, index: GraphView, options: ExpansionOptions) {
    this.node = node;
    this.#index = index;
    this.options = options;
  }

  /** The node's input at this position; undefined when it is left out. */
  optional(position: number): string | undefined {
    return this.node.inputs[position] || undefined;
  }

  /** @throws CompilerError `invalid-graph` when the input is left out. */
  required(position: number): string {
    const value = this.optional(position);
    if (value !== undefined) return value;
    throw new CompilerError('invalid-graph', `edgewise.${this.node.opType} needs its input ${position}`, {
      at: { node: this.node.name || this.node.opType },
    });
  }

  /** The constant tensor behind a value. @throws CompilerError `unsupported` when it is computed. */
  constantOf(value: string): DenseTensor {
    const tensor = this.#index.constant(value);
    if (tensor?.kind === 'dense') return tensor;
    throw new CompilerError('unsupported', `edgewise.${this.node.opType}: '${value}' is not a constant`, {
      at: { node: this.node.name || this.node.opType, value },
    });
  }

  /** Adds a constant; returns its name. */
  constant(suffix: string, tensor: Tensor): string {
    const name = this.#freshName(suffix);
    this.#initializers.set(name, tensor);
    return name;
  }

  scalar(suffix: string, value: number): string {
    return this.constant(suffix, float32Tensor([], [value]));
  }

  ints(suffix: string, ...values: number[]): string {
    return this.constant(suffix, int64Tensor([values.length], values));
  }

  /** Adds a standard node; returns the name of its output. */
  add(suffix: string, opType: string, inputs: readonly string[], values: AttributeValues = {}): string {
    return this.#push('', suffix, opType, inputs, values);
  }

  /** Adds a node of com.microsoft; returns the name of its output. */
  addMicrosoft(
    suffix: string,
    opType: string,
    inputs: readonly string[],
    values: AttributeValues = {},
  ): string {
    return this.#push(MICROSOFT_DOMAIN, suffix, opType, inputs, values);
  }

  /**
   * A node that others expanding the same input may share: the first one adds it under names derived from `base`.
   * Returns the names of its outputs.
   */
  shared(
    base: string,
    suffixes: readonly string[],
    opType: string,
    inputs: readonly string[],
    values: AttributeValues = {},
  ): readonly string[] {
    const outputs = suffixes.map((suffix) => `${base}/${suffix}`);
    const present = this.#index.producer(outputs[0] ?? '');
    if (present?.opType === opType && present.inputs.every((input, i) => input === inputs[i]))
      return present.outputs;
    const free = outputs.map((name) => this.#index.freshName(name));
    this.#nodes.push({
      name: free[0] ?? '',
      opType,
      domain: '',
      inputs,
      outputs: free,
      attributes: toAttributes(values),
    });
    return free;
  }

  /** The edit after which `result` is what the edgewise node gave. */
  finish(result: string): Edit {
    const [output = ''] = this.node.outputs;
    const add = this.#nodes.map((node) => ({
      ...node,
      outputs: node.outputs.map((name) => (name === result ? output : name)),
    }));
    return {
      reason: `edgewise.${this.node.opType} in ${add.length} operators`,
      remove: [this.node],
      add,
      initializers: this.#initializers,
    };
  }

  #push(
    domain: string,
    suffix: string,
    opType: string,
    inputs: readonly string[],
    values: AttributeValues,
  ): string {
    const output = this.#freshName(suffix);
    this.#nodes.push({
      name: output,
      opType,
      domain,
      inputs,
      outputs: [output],
      attributes: toAttributes(values),
    });
    return output;
  }

  #freshName(suffix: string): string {
    const base = `${this.node.name || this.node.outputs[0] || this.node.opType}/${suffix}`;
    let name = this.#index.freshName(base);
    for (let i = 1; this.#names.has(name); i++) name = this.#index.freshName(`${base}_${i}`);
    this.#names.add(name);
    return name;
  }
}

function toAttributes(values: AttributeValues): Map<string, Attribute> {
  const map = new Map<string, Attribute>();
  for (const [name, value] of Object.entries(values)) {
    if (Array.isArray(value)) map.set(name, { kind: 'ints', value: value as readonly bigint[] });
    else
      for (const [key, attribute] of attributes({ [name]: value as number | bigint | string }))
        map.set(key, attribute);
  }
  return map;
}
