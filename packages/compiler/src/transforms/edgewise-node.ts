import type { Node } from '../ir/index.ts';
import { attributes } from './node-attributes.ts';

/** A node of the `edgewise` domain that takes the name of the node it replaces. */
export function edgewiseNode(
  opType: string,
  replaced: Node,
  inputs: readonly string[],
  outputs: readonly string[],
  values: Readonly<Record<string, number | bigint | string>>,
): Node {
  return { name: replaced.name, opType, domain: 'edgewise', inputs, outputs, attributes: attributes(values) };
}

export function isEdgewise(node: Node | undefined, opType: string): node is Node {
  return node?.domain === 'edgewise' && node.opType === opType;
}

export function isStandard(node: Node | undefined, ...opTypes: readonly string[]): node is Node {
  return node?.domain === '' && opTypes.includes(node.opType);
}
