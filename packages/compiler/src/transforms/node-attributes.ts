import type { Attribute, Node, Tensor } from '../ir/index.ts';

/** The integer attribute, or the fallback when the node does not carry it. */
export function intAttribute(node: Node, name: string, fallback: number): number {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'int' ? Number(attribute.value) : fallback;
}

export function floatAttribute(node: Node, name: string, fallback: number): number {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'float' ? attribute.value : fallback;
}

export function intsAttribute(node: Node, name: string): number[] | undefined {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'ints' ? attribute.value.map(Number) : undefined;
}

export function stringAttribute(node: Node, name: string, fallback: string): string {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'string' ? new TextDecoder().decode(attribute.value) : fallback;
}

export function tensorAttribute(node: Node, name: string): Tensor | undefined {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'tensor' ? attribute.value : undefined;
}

/** Attributes from plain values: a number becomes a float, a bigint an int, a string a string. */
export function attributes(
  values: Readonly<Record<string, number | bigint | string>>,
): Map<string, Attribute> {
  return new Map(Object.entries(values).map(([name, value]) => [name, toAttribute(value)]));
}

function toAttribute(value: number | bigint | string): Attribute {
  if (typeof value === 'number') return { kind: 'float', value };
  if (typeof value === 'bigint') return { kind: 'int', value };
  return { kind: 'string', value: new TextEncoder().encode(value) };
}
