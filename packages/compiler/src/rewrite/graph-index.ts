import type { Graph, Node, Tensor } from '../ir/index.ts';
import type { Edit, GraphView } from './edit.ts';
import { constantOf } from './constant-node.ts';
import { capturedNames, renameCaptured } from './captured-names.ts';

/**
 * Producers, consumers and constants of one graph, kept current while edits are applied to it.
 * `graph.nodes` is stale until `commit()`; initializers and value infos are edited at once.
 */
export class GraphIndex implements GraphView {
  readonly graph: Graph;
  readonly outer: GraphIndex | undefined;
  readonly #producers = new Map<string, Node>();
  /** Input slots per consumer, so that `Add(x, x)` counts twice. */
  readonly #consumers = new Map<string, Map<Node, number>>();
  /** Sort keys: a new node takes the place of the last one it replaces. */
  readonly #places = new Map<Node, number>();
  readonly #inputs: ReadonlySet<string>;
  readonly #outputs: ReadonlySet<string>;

  constructor(graph: Graph, outer?: GraphIndex) {
    this.graph = graph;
    this.outer = outer;
    this.#inputs = new Set(graph.inputs.map((input) => input.name));
    this.#outputs = new Set(graph.outputs.map((output) => output.name));
    graph.nodes.forEach((node, place) => this.#link(node, place));
  }

  /** Nodes in their present order, which is topological for all that was not edited since `commit()`. */
  get nodes(): IterableIterator<Node> {
    return this.#places.keys();
  }

  has(node: Node): boolean {
    return this.#places.has(node);
  }

  producer(value: string): Node | undefined {
    return this.#producers.get(value);
  }

  consumers(value: string): readonly Node[] {
    return [...(this.#consumers.get(value)?.keys() ?? [])];
  }

  useCount(value: string): number {
    let uses = this.#outputs.has(value) ? 1 : 0;
    for (const slots of this.#consumers.get(value)?.values() ?? []) uses += slots;
    return uses;
  }

  isInput(value: string): boolean {
    return this.#inputs.has(value);
  }

  isOutput(value: string): boolean {
    return this.#outputs.has(value);
  }

  constant(value: string): Tensor | undefined {
    if (this.#inputs.has(value)) return undefined; // an initializer of that name is only a default
    const own = this.graph.initializers.get(value);
    if (own !== undefined) return own;
    const producer = this.#producers.get(value);
    return producer === undefined ? this.outer?.constant(value) : constantOf(producer);
  }

  freshName(base: string): string {
    let name = base;
    for (let i = 1; this.#isTaken(name); i++) name = `${base}_${i}`;
    return name;
  }

  /**
   * Applies the edit as a whole and returns the nodes around it that deserve another look, or undefined when it is
   * refused because a graph output would lose its name.
   */
  apply(edit: Edit): readonly Node[] | undefined {
    const replacements = [...(edit.replace ?? [])];
    if (!replacements.every(([from, to]) => this.#canReplace(from, to))) return undefined;
    const place = Math.max(0, ...edit.remove.map((node) => this.#places.get(node) ?? 0));
    for (const node of edit.remove) this.#unlink(node);
    for (const [name, tensor] of edit.initializers ?? []) this.graph.initializers.set(name, tensor);
    for (const node of edit.add ?? []) this.#link(node, place);
    const touched = new Set<Node>(edit.add);
    for (const [from, to] of replacements) for (const node of this.#replace(from, to)) touched.add(node);
    for (const node of edit.add ?? [])
      for (const output of node.outputs) for (const consumer of this.consumers(output)) touched.add(consumer);
    for (const node of edit.remove) this.#sweep(node);
    return [...touched].filter((node) => this.#places.has(node));
  }

  /** Writes the nodes back to the graph in topological order, as close to the former order as that allows. */
  commit(): void {
    const sorted = [...this.#places].toSorted((a, b) => a[1] - b[1]).map(([node]) => node);
    const done = new Set<Node>();
    const nodes: Node[] = [];
    const stack: { node: Node; entered: boolean }[] = sorted
      .toReversed()
      .map((node) => ({ node, entered: false }));
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      if (done.has(top.node)) continue;
      if (top.entered) {
        done.add(top.node);
        nodes.push(top.node);
        continue;
      }
      stack.push({ node: top.node, entered: true });
      for (const value of usedNames(top.node)) {
        const producer = this.#producers.get(value);
        if (producer !== undefined && !done.has(producer)) stack.push({ node: producer, entered: false });
      }
    }
    this.graph.nodes = nodes;
    this.#forgetLostValues();
  }

  #isTaken(name: string): boolean {
    return (
      this.#inputs.has(name) ||
      this.#producers.has(name) ||
      this.#consumers.has(name) ||
      this.graph.initializers.has(name) ||
      (this.outer !== undefined && this.outer.#isTaken(name))
    );
  }

  #link(node: Node, place: number): void {
    this.#places.set(node, place);
    for (const output of node.outputs) if (output !== '') this.#producers.set(output, node);
    for (const value of usedNames(node)) {
      let consumers = this.#consumers.get(value);
      if (consumers === undefined) this.#consumers.set(value, (consumers = new Map()));
      consumers.set(node, (consumers.get(node) ?? 0) + 1);
    }
  }

  #unlink(node: Node): void {
    this.#places.delete(node);
    for (const output of node.outputs)
      if (this.#producers.get(output) === node) this.#producers.delete(output);
    for (const value of usedNames(node)) {
      const consumers = this.#consumers.get(value);
      consumers?.delete(node);
      if (consumers?.size === 0) this.#consumers.delete(value);
    }
  }

  #canReplace(from: string, to: string): boolean {
    if (!this.#outputs.has(from)) return true;
    return this.#producers.has(to) && !this.#outputs.has(to);
  }

  /** Returns the nodes that changed. */
  #replace(from: string, to: string): Node[] {
    if (!this.#outputs.has(from)) return this.#rewire(from, to);
    const producer = this.#producers.get(to);
    if (producer === undefined) throw new Error(`no node produces ${to}`);
    const outputs = producer.outputs.map((name) => (name === to ? from : name));
    const renamed = this.#exchange(producer, { ...producer, outputs });
    this.#producers.set(from, renamed);
    this.graph.valueInfo.delete(to);
    return [renamed, ...this.#rewire(to, from)];
  }

  #rewire(from: string, to: string): Node[] {
    return this.consumers(from).map((node) => this.#exchange(node, renameInputs(node, from, to)));
  }

  #exchange(node: Node, by: Node): Node {
    const place = this.#places.get(node) ?? 0;
    this.#unlink(node);
    this.#link(by, place);
    return by;
  }

  /** Removes what only a removed node used. */
  #sweep(removed: Node): void {
    const queue = [...usedNames(removed)];
    for (let value = queue.pop(); value !== undefined; value = queue.pop()) {
      if (this.useCount(value) > 0) continue;
      const producer = this.#producers.get(value);
      if (producer === undefined) {
        this.graph.initializers.delete(value);
      } else if (producer.outputs.every((output) => this.useCount(output) === 0)) {
        this.#unlink(producer);
        queue.push(...usedNames(producer));
      }
    }
  }

  #forgetLostValues(): void {
    for (const name of this.graph.valueInfo.keys())
      if (!this.#producers.has(name) && !this.graph.initializers.has(name)) this.graph.valueInfo.delete(name);
  }
}

/** Every value name a node reads, once per input slot, names captured by its subgraphs included. */
function usedNames(node: Node): string[] {
  return [...node.inputs.filter((name) => name !== ''), ...capturedNames(node)];
}

function renameInputs(node: Node, from: string, to: string): Node {
  const inputs = node.inputs.map((name) => (name === from ? to : name));
  return renameCaptured({ ...node, inputs }, from, to);
}
