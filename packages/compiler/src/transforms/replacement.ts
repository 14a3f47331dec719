import type { Attribute, Node, Tensor } from '../ir/index.ts';
import type { Edit, GraphView } from '../rewrite/index.ts';

/** Nodes that take the place of one, in their order, and the constants that they read; the last one gives its output. */
export class Replacement {
  readonly #graph: GraphView;
  readonly #output: string;
  readonly #nodes: Node[] = [];
  readonly #initializers = new Map<string, Tensor>();

  constructor(graph: GraphView, output: string) {
    this.#graph = graph;
    this.#output = output;
  }

  /** A constant, named after the output with a suffix. */
  constant(suffix: string, tensor: Tensor): string {
    const base = `${this.#output}.${suffix}`;
    let name = this.#graph.freshName(base);
    for (let count = 1; this.#initializers.has(name); count++)
      name = this.#graph.freshName(`${base}.${count}`);
    this.#initializers.set(name, tensor);
    return name;
  }

  /** The output of a further node, without a name of its own unless `like` has one. */
  step(
    opType: string,
    inputs: readonly string[],
    attributes: ReadonlyMap<string, Attribute> = new Map(),
    like: Pick<Node, 'name' | 'domain'> = { name: '', domain: '' },
  ): string {
    const made = this.#graph.freshName(`${this.#output}.${this.#nodes.length}`);
    const { name, domain } = like;
    this.#nodes.push({ name, domain, opType, inputs, outputs: [made], attributes: new Map(attributes) });
    return made;
  }

  finish(): Pick<Edit, 'add' | 'initializers'> {
    const last = this.#nodes.at(-1)!;
    const add = [...this.#nodes.slice(0, -1), { ...last, outputs: [this.#output] }];
    return { add, initializers: this.#initializers };
  }
}

/** Attributes that are lists of whole numbers. */
export function intsAttributes(values: Readonly<Record<string, readonly number[]>>): Map<string, Attribute> {
  return new Map(
    Object.entries(values).map(([name, list]) => [name, { kind: 'ints', value: list.map(BigInt) }]),
  );
}
