import { CompilerError } from '../diagnostics/index.ts';
import type { Attribute, Graph, Node, Tensor } from '../ir/index.ts';

/** Typed access to a node's attributes. A wrong kind throws `CompilerError`; a missing one gives the fallback. */
export interface AttributeReader {
  has(name: string): boolean;
  int(name: string, fallback?: number): number;
  float(name: string, fallback?: number): number;
  string(name: string, fallback?: string): string;
  /** Undefined when the attribute is missing: its default depends on the operator. */
  ints(name: string): number[] | undefined;
  floats(name: string): number[] | undefined;
  strings(name: string): string[] | undefined;
  tensor(name: string): Tensor | undefined;
  graph(name: string): Graph;
}

export function readAttributes(node: Node): AttributeReader {
  const find = <K extends Attribute['kind']>(name: string, kind: K) => findAttribute(node, name, kind);
  const required = <T>(value: T | undefined, name: string): T => {
    if (value === undefined) throw attributeError(node, `needs the attribute "${name}"`);
    return value;
  };
  return {
    has: (name) => node.attributes.has(name),
    int: (name, fallback) => required(optionally(find(name, 'int')?.value, Number) ?? fallback, name),
    float: (name, fallback) => required(find(name, 'float')?.value ?? fallback, name),
    string: (name, fallback) => required(optionally(find(name, 'string')?.value, decode) ?? fallback, name),
    ints: (name) => find(name, 'ints')?.value.map(Number),
    floats: (name) => find(name, 'floats')?.value.slice(),
    strings: (name) => find(name, 'strings')?.value.map(decode),
    tensor: (name) => find(name, 'tensor')?.value,
    graph: (name) => required(find(name, 'graph')?.value, name),
  };
}

function findAttribute<K extends Attribute['kind']>(
  node: Node,
  name: string,
  kind: K,
): Extract<Attribute, { kind: K }> | undefined {
  const attribute = node.attributes.get(name);
  if (attribute === undefined) return undefined;
  if (attribute.kind === kind) return attribute as Extract<Attribute, { kind: K }>;
  throw attributeError(node, `has the attribute "${name}" as ${attribute.kind} instead of ${kind}`);
}

function attributeError(node: Node, what: string): CompilerError {
  return new CompilerError('invalid-graph', `${node.opType} ${what}.`, {
    at: { node: node.name || node.opType },
    hint: 'Export the model again, or repair the node.',
  });
}

function optionally<T, R>(value: T | undefined, map: (value: T) => R): R | undefined {
  return value === undefined ? undefined : map(value);
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
