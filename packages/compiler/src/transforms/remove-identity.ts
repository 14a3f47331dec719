import { DATA_TYPE_CODES, type Node } from '../ir/index.ts';
import { LOSSLESS, type GraphView, type Rule, type Transform } from '../rewrite/index.ts';
import { numberConstant, numbersConstant } from './constants.ts';
import { intAttribute, intsAttribute } from './node-attributes.ts';
import { ruleTransform, type RuleContext } from './rule-transform.ts';

/**
 * Removes nodes that hand their first input on unchanged: Identity, Dropout outside training, Cast to the same type,
 * shape operators and Slice that keep a known shape, Pad by nothing, Transpose without movement, Concat, Sum, Max, Min and Mean of one
 * value, multiplication and division by 1, addition and subtraction of 0. A node between a graph input and a graph output stays: both names are the
 * model's signature.
 */
export function removeIdentity(): Transform {
  return ruleTransform({
    name: 'removeIdentity',
    description: 'drop operators that change nothing',
    tolerance: LOSSLESS,
    rules: (context) =>
      Object.entries(UNCHANGED).map(([operator, test]) => dropRule(operator, test, context)),
  });
}

type Test = (node: Node, graph: GraphView, context: RuleContext) => boolean;

const UNCHANGED: Readonly<Record<string, Test>> = {
  Identity: () => true,
  Dropout: isInference,
  Cast: (node, _graph, { typeOf }) => {
    const type = typeOf(node.inputs[0] ?? '');
    return type !== undefined && DATA_TYPE_CODES[type.dtype] === intAttribute(node, 'to', 0);
  },
  Reshape: keepsShape,
  Flatten: keepsShape,
  Squeeze: keepsShape,
  Unsqueeze: keepsShape,
  Expand: keepsShape,
  // The same extent from steps of 1 can only start at 0.
  Slice: (node, graph, context) => keepsShape(node, graph, context) && hasUnitSteps(node, graph),
  Pad: hasNoPads,
  Transpose: (node) => intsAttribute(node, 'perm')?.every((from, to) => from === to) === true,
  Concat: hasOneInput,
  Sum: hasOneInput,
  Max: hasOneInput,
  Min: hasOneInput,
  Mean: hasOneInput,
  Mul: (node, graph, context) => isOne(node.inputs[1], graph) && keepsShape(node, graph, context),
  Div: (node, graph, context) => isOne(node.inputs[1], graph) && keepsShape(node, graph, context),
  Add: (node, graph, context) => isZero(node.inputs[1], graph) && keepsShape(node, graph, context),
  Sub: (node, graph, context) => isZero(node.inputs[1], graph) && keepsShape(node, graph, context),
};

function dropRule(operator: string, test: Test, context: RuleContext): Rule {
  return {
    name: operator,
    operators: [operator],
    match: (node, graph) => {
      const [from = ''] = node.inputs;
      const [to = '', ...others] = node.outputs;
      if (others.some((output) => graph.useCount(output) > 0) || !test(node, graph, context))
        return undefined;
      return { reason: `${operator} changes nothing`, remove: [node], replace: new Map([[to, from]]) };
    },
  };
}

function isInference(node: Node, graph: GraphView): boolean {
  const training = node.inputs[2] ?? '';
  return training === '' || numberConstant(graph, training) === 0;
}

/** Known to have the same shape before and after. */
function keepsShape(node: Node, _graph: GraphView, { typeOf }: RuleContext): boolean {
  const before = typeOf(node.inputs[0] ?? '')?.shape;
  const after = typeOf(node.outputs[0] ?? '')?.shape;
  if (before === undefined || after === undefined || before.length !== after.length) return false;
  return before.every((dim, axis) => dim !== null && dim === after[axis]);
}

function hasUnitSteps(node: Node, graph: GraphView): boolean {
  const steps = node.inputs[4] ?? '';
  return steps === '' || numbersConstant(graph, steps, 8)?.every((step) => step === 1) === true;
}

function hasNoPads(node: Node, graph: GraphView): boolean {
  return numbersConstant(graph, node.inputs[1], 64)?.every((pad) => pad === 0) === true;
}

function hasOneInput(node: Node): boolean {
  return node.inputs.length === 1;
}

function isOne(value: string | undefined, graph: GraphView): boolean {
  return numberConstant(graph, value) === 1;
}

function isZero(value: string | undefined, graph: GraphView): boolean {
  return numberConstant(graph, value) === 0;
}
