import type { Attribute, Model, Node } from '../src/ir/index.ts';
import { operatorName } from '../src/rewrite/index.ts';

/**
 * A graph as text that does not depend on names or on the order of independent nodes: nodes in the order in which the
 * outputs need them, values numbered, constants by type and shape, floats to 6 digits.
 */
export function canonicalText({ graph }: Model): string {
  const producers = new Map(
    graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)),
  );
  const ids = new Map(graph.inputs.map(({ name }) => [name, name]));
  const lines: string[] = [];

  const visit = (value: string): string => {
    if (value === '') return '_';
    const constant = graph.initializers.get(value);
    if (constant !== undefined) return `${constant.dtype}[${constant.dims.join()}]`;
    const known = ids.get(value);
    if (known !== undefined) return known;
    const node = producers.get(value);
    if (node === undefined) throw new Error(`nothing produces ${value}`);
    const inputs = node.inputs.map(visit);
    node.outputs.forEach((output, slot) => ids.set(output, `${lines.length}.${slot}`));
    lines.push(`${lines.length} = ${operatorName(node)}(${inputs.join(', ')})${attributesText(node)}`);
    return ids.get(value) ?? '';
  };

  const outputs = graph.outputs.map(({ name }) => visit(name));
  return [...lines, `outputs ${outputs.join(', ')}`].join('\n');
}

function attributesText(node: Node): string {
  return [...node.attributes]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, attribute]) => ` ${name}=${valueText(attribute)}`)
    .join('');
}

function valueText(attribute: Attribute): string {
  if (attribute.kind === 'float') return attribute.value.toPrecision(6);
  if (attribute.kind === 'int') return String(attribute.value);
  if (attribute.kind === 'string') return new TextDecoder().decode(attribute.value);
  if (attribute.kind === 'ints') return `[${attribute.value.join()}]`;
  throw new Error(`the compact graph has no ${attribute.kind} attributes`);
}
