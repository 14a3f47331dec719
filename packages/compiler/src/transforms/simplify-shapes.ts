import { int64Tensor, type Dim, type Node, type Shape } from '../ir/index.ts';
import { fromNumbersAs } from './constants.ts';
import { LOSSLESS, type Edit, type GraphView, type Transform } from '../rewrite/index.ts';
import { ruleTransform, type RuleContext } from './rule-transform.ts';

/**
 * Ends the chains of Shape, Gather, Concat, … that exporters compute shapes with: small integer values that are known
 * become constants, and a Reshape whose target is known up to one dimension gets a constant one (0 keeps a dimension,
 * −1 is the rest). `fixDims({batch: 1})` before it makes more of them known.
 */
export function simplifyShapes(): Transform {
  return ruleTransform({
    name: 'simplifyShapes',
    description: 'shape arithmetic → constants',
    tolerance: LOSSLESS,
    rules: (context) => [
      { name: 'known', operators: ['*'], match: (node, graph) => matchKnown(node, graph, context) },
      { name: 'Reshape', operators: ['Reshape'], match: (node, graph) => matchReshape(node, graph, context) },
    ],
  });
}

function matchKnown(node: Node, graph: GraphView, { elementsOf }: RuleContext): Edit | undefined {
  const [output = ''] = node.outputs;
  if (node.outputs.length !== 1 || graph.isOutput(output)) return undefined;
  const known = elementsOf(output);
  const numbers = known?.elements.filter((element) => typeof element === 'number');
  if (known === undefined || numbers === undefined || numbers.length !== known.elements.length)
    return undefined;
  const tensor = fromNumbersAs(known.dtype, known.dims, numbers);
  if (tensor === undefined) return undefined;
  return {
    reason: `known to be ${numbers.join(', ')}`,
    remove: [node],
    initializers: new Map([[output, tensor]]),
  };
}

function matchReshape(node: Node, graph: GraphView, { typeOf }: RuleContext): Edit | undefined {
  const [x = '', target = ''] = node.inputs;
  if (graph.constant(target) !== undefined) return undefined;
  const [from, to] = [typeOf(x)?.shape, typeOf(node.outputs[0] ?? '')?.shape];
  const elements = from && to && reshapeTarget(from, to);
  if (elements === undefined) return undefined;
  const name = graph.freshName(`${target}.constant`);
  return {
    reason: `Reshape to [${elements.join(', ')}]`,
    remove: [node],
    add: [{ ...node, inputs: [x, name], attributes: new Map() }],
    initializers: new Map([[name, int64Tensor([elements.length], elements)]]),
  };
}

/** The target as constants: numbers, 0 for a dimension that stays in its place, and at most one −1. */
function reshapeTarget(from: Shape, to: Shape): number[] | undefined {
  const elements = to.map((dim, axis) => elementFor(dim, from[axis]));
  // 0 as a number would mean "keep"; one open dimension follows from the others.
  if (to.includes(0) || elements.filter((element) => element === -1).length > 1) return undefined;
  return elements;
}

function elementFor(dim: Dim, before: Dim | undefined): number {
  if (typeof dim === 'number') return dim;
  return dim !== null && dim === before ? 0 : -1;
}
