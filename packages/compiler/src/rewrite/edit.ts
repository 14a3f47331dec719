import type { Node, Tensor } from '../ir/index.ts';

/** One described change of a graph. What only the removed nodes used (nodes, initializers) goes with them. */
export interface Edit {
  /** One sentence for the log: what was recognised. */
  readonly reason: string;
  readonly remove: readonly Node[];
  /** New nodes; they may define values of removed nodes again, and then every consumer keeps its inputs. */
  readonly add?: readonly Node[];
  /** New constants by name; `GraphIndex.freshName` gives names that are free. */
  readonly initializers?: ReadonlyMap<string, Tensor>;
  /**
   * Consumers of each key read the value instead. A graph output keeps its name: then the producer of the value is
   * renamed, and the edit is refused when that is impossible (the value is a graph input, a constant or an output).
   */
  readonly replace?: ReadonlyMap<string, string>;
}

/** Guard clauses, then one construction: returns the edit that this node asks for, or undefined. */
export interface Rule {
  readonly name: string;
  /** Operators this rule looks at: `Add`, `edgewise.Linear`; `*` for all. */
  readonly operators: readonly string[];
  readonly match: (node: Node, index: GraphView) => Edit | undefined;
}

/** What a rule may ask about the graph around a node. */
export interface GraphView {
  producer(value: string): Node | undefined;
  /** Nodes that read the value, each once; a node whose subgraph reads it counts. */
  consumers(value: string): readonly Node[];
  /** Graph outputs count as uses, and so does every input slot. */
  useCount(value: string): number;
  isInput(value: string): boolean;
  isOutput(value: string): boolean;
  /** The tensor of a `Constant` node or an initializer no caller can override; enclosing graphs are searched too. */
  constant(value: string): Tensor | undefined;
  /** A value name that nothing uses, `base` itself when it is free. */
  freshName(base: string): string;
}

/** `Add`, or `edgewise.Linear` for operators outside ai.onnx: the spelling that rules and reports use. */
export function operatorName(node: Node): string {
  return node.domain === '' || node.domain === 'ai.onnx' ? node.opType : `${node.domain}.${node.opType}`;
}
