import type { Attribute, Node } from '../ir/index.ts';
import { findOperator, opsetVersion } from '../ops/index.ts';
import { LOSSLESS, operatorName, subgraphsOf, type Rule, type Transform } from '../rewrite/index.ts';
import { ruleTransform } from './rule-transform.ts';

/**
 * Merges nodes that compute the same thing: same operator, inputs and attributes. Only operators that Edgewise knows to
 * be deterministic; nodes with subgraphs and large attributes stay.
 */
export function eliminateCommonSubexpressions(): Transform {
  return ruleTransform({
    name: 'eliminateCommonSubexpressions',
    description: 'compute equal things once',
    tolerance: LOSSLESS,
    rules: ({ model }) => [mergeRule(model.opsets)],
  });
}

function mergeRule(opsets: ReadonlyMap<string, number>): Rule {
  const firsts = new Map<string, Node>();
  return {
    name: 'equal nodes',
    operators: ['*'],
    match: (node, graph) => {
      const operator = findOperator(node.domain, node.opType, opsetVersion(opsets, node.domain));
      if (operator === undefined || operator.deterministic === false) return undefined;
      const key = keyOf(node, operator.commutative === true);
      if (key === undefined) return undefined;
      const first = firsts.get(key);
      const isCurrent = first !== undefined && graph.producer(first.outputs[0] ?? '') === first;
      if (!isCurrent) firsts.set(key, node);
      if (!isCurrent || first === node || first.outputs.length < node.outputs.length) return undefined;
      const pairs = node.outputs.map((output, slot) => [output, first.outputs[slot] ?? ''] as const);
      if (pairs.some(([from, to]) => (from === '') !== (to === ''))) return undefined;
      return {
        reason: `${operatorName(node)} is computed already`,
        remove: [node],
        replace: new Map(pairs.filter(([from]) => from !== '')),
      };
    },
  };
}

/** Equal for nodes that compute the same; undefined for nodes that are not compared. */
function keyOf(node: Node, isCommutative: boolean): string | undefined {
  if (subgraphsOf(node).length > 0) return undefined;
  const attributes = [...node.attributes].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const texts = attributes.map(([name, attribute]) => [name, attributeText(attribute)]);
  if (texts.some(([, text]) => text === undefined)) return undefined;
  const inputs = isCommutative
    ? [...node.inputs.slice(0, 2).toSorted(), ...node.inputs.slice(2)]
    : node.inputs;
  return JSON.stringify([operatorName(node), node.overload ?? '', inputs, texts]);
}

/** Tensors beyond this are not compared byte by byte; foldConstants makes initializers of them. */
const COMPARED_BYTES = 256;

function attributeText(attribute: Attribute): string | undefined {
  switch (attribute.kind) {
    case 'float':
    case 'int':
      return `${attribute.kind} ${attribute.value}`;
    case 'floats':
    case 'ints':
      return `${attribute.kind} ${attribute.value.join()}`;
    case 'string':
      return `string ${attribute.value.join()}`;
    case 'strings':
      return `strings ${attribute.value.map((bytes) => bytes.join()).join(';')}`;
    case 'tensor': {
      const { value } = attribute;
      if (value.kind !== 'dense' || value.data.byteLength > COMPARED_BYTES) return undefined;
      return `${value.dtype} [${value.dims.join()}] ${value.data.join()}`;
    }
    default:
      return undefined;
  }
}
