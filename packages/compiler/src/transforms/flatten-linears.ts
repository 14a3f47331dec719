import { int64Tensor, type Node } from '../ir/index.ts';
import { LOSSLESS, type Edit, type GraphView, type Transform } from '../rewrite/index.ts';
import { Replacement } from './replacement.ts';
import { ruleTransform, type RuleContext } from './rule-transform.ts';

/**
 * Gives every `edgewise.Linear` a matrix as its input, with a Reshape before and after it where it has more dimensions: QGemm,
 * which it becomes in 8 bits, takes nothing else. Needs fixed dimensions.
 */
export function flattenLinears(): Transform {
  return ruleTransform({
    name: 'flattenLinears',
    description: 'Linear of more than two dimensions → Reshape, Linear, Reshape',
    tolerance: LOSSLESS,
    rules: (context) => [
      {
        name: 'linear',
        operators: ['edgewise.Linear'],
        match: (node, graph) => matchLinear(node, graph, context),
      },
    ],
  });
}

function matchLinear(node: Node, graph: GraphView, { typeOf }: RuleContext): Edit | undefined {
  const [x = '', ...constants] = node.inputs;
  const [output = ''] = node.outputs;
  const [before, after] = [typeOf(x)?.shape, typeOf(output)?.shape];
  const isFixed = [...(before ?? []), ...(after ?? [])].every((dim) => typeof dim === 'number');
  if (before === undefined || after === undefined || before.length < 3 || !isFixed) return undefined;
  const replacement = new Replacement(graph, output);
  const reshaped = (value: string, shape: readonly number[]): string =>
    replacement.step('Reshape', [value, replacement.constant('shape', int64Tensor([shape.length], shape))]);
  const rows = reshaped(x, [-1, before.at(-1) as number]);
  const made = replacement.step(node.opType, [rows, ...constants], node.attributes, node);
  reshaped(made, after as readonly number[]);
  return { reason: `${before.length} dimensions`, remove: [node], ...replacement.finish() };
}
