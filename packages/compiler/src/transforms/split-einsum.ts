import { int64Tensor, type Node } from '../ir/index.ts';
import type { Edit, GraphView, Transform } from '../rewrite/index.ts';
import { stringAttribute } from './node-attributes.ts';
import { intsAttributes, Replacement } from './replacement.ts';
import { FLOAT32_REORDERING, ruleTransform, type RuleContext } from './rule-transform.ts';

/**
 * Writes an Einsum of two operands as Transpose, Reshape and MatMul: letters that both have and the result keeps are batches,
 * those that it drops are summed over. Needs fixed dimensions; an equation with a diagonal, an ellipsis, or a letter that is
 * summed within one operand stays as it is.
 */
export function splitEinsum(): Transform {
  return ruleTransform({
    name: 'splitEinsum',
    description: 'Einsum of two operands → Transpose, Reshape, MatMul',
    tolerance: FLOAT32_REORDERING,
    rules: (context) => [
      { name: 'product', operators: ['Einsum'], match: (node, graph) => matchEinsum(node, graph, context) },
    ],
  });
}

interface Product {
  readonly left: string;
  readonly right: string;
  readonly output: string;
  readonly extents: ReadonlyMap<string, number>;
}

function matchEinsum(node: Node, graph: GraphView, { typeOf }: RuleContext): Edit | undefined {
  const equation = stringAttribute(node, 'equation', '');
  const shapes = node.inputs.map((input) => typeOf(input)?.shape);
  const product = readProduct(equation, shapes);
  if (product === undefined) return undefined;
  const { left, right, output, extents } = product;
  const [x = '', y = ''] = node.inputs;
  const replacement = new Replacement(graph, node.outputs[0] ?? '');
  const dims = (letters: string): number[] => letters.split('').map((letter) => extents.get(letter)!);
  const count = (letters: string): number => dims(letters).reduce((size, dim) => size * dim, 1);
  const ordered = (value: string, from: string, to: string): string => {
    if (from === to) return value;
    const perm = to.split('').map((letter) => from.indexOf(letter));
    return replacement.step('Transpose', [value], intsAttributes({ perm }));
  };
  const reshaped = (value: string, shape: readonly number[]): string =>
    replacement.step('Reshape', [value, replacement.constant('shape', int64Tensor([shape.length], shape))]);

  const shared = common(left, right);
  const batch = common(shared, output);
  const summed = without(shared, output);
  const [rows, columns] = [without(left, right), without(right, left)];
  const a = ordered(x, left, batch + rows + summed);
  const b = ordered(y, right, batch + summed + columns);
  const matrices = [
    reshaped(a, [...dims(batch), count(rows), count(summed)]),
    reshaped(b, [...dims(batch), count(summed), count(columns)]),
  ];
  const made = batch + rows + columns;
  ordered(reshaped(replacement.step('MatMul', matrices), dims(made)), made, output);
  return { reason: equation, remove: [node], ...replacement.finish() };
}

/** The letters of one term that another has as well. */
function common(term: string, other: string): string {
  return term
    .split('')
    .filter((letter) => other.includes(letter))
    .join('');
}

function without(term: string, other: string): string {
  return term
    .split('')
    .filter((letter) => !other.includes(letter))
    .join('');
}

/** Undefined for other equations than products of two operands of fixed, equal extents. */
function readProduct(
  equation: string,
  shapes: readonly (readonly (number | string | null)[] | undefined)[],
): Product | undefined {
  const [, left = '', right = '', output = ''] =
    /^([A-Za-z]+),([A-Za-z]+)->([A-Za-z]+)$/.exec(equation.replaceAll(/\s/g, '')) ?? [];
  const terms = [left, right];
  if (left === '' || [...terms, output].some((term) => new Set(term).size < term.length)) return undefined;
  const isSummedAlone = [...new Set(left + right)].some(
    (letter) => !output.includes(letter) && !(left.includes(letter) && right.includes(letter)),
  );
  if (isSummedAlone) return undefined;
  const extents = new Map<string, number>();
  for (const [index, term] of terms.entries()) {
    for (const [axis, letter] of term.split('').entries()) {
      const extent = shapes[index]?.[axis];
      if (typeof extent !== 'number' || (extents.get(letter) ?? extent) !== extent) return undefined;
      extents.set(letter, extent);
    }
  }
  return { left, right, output, extents };
}
