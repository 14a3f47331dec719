import type { Node } from '../ir/index.ts';
import type { Edit, GraphView, Transform } from '../rewrite/index.ts';
import { attributes } from './node-attributes.ts';
import { FLOAT32_REORDERING, ruleTransform, type RuleContext } from './rule-transform.ts';
import { formulaArguments, scalarFormula } from './scalar-formula.ts';

/**
 * Recognises activations that are spelled out, by what they compute on sample points: hard-swish, hard-sigmoid and Mish become
 * one standard operator (opset 18), SiLU becomes x·Sigmoid(x), Relu and Clip made of Max and Min become Relu and Clip.
 */
export function fuseActivations(): Transform {
  return ruleTransform({
    name: 'fuseActivations',
    description: 'activations that are spelled out → one operator',
    tolerance: FLOAT32_REORDERING,
    rules: (context) => [
      {
        name: 'formula',
        operators: LAST_OPERATORS,
        match: (node, graph) => matchFormula(node, graph, context),
      },
    ],
  });
}

/** How the spellings end. */
const LAST_OPERATORS = ['Mul', 'Div', 'Clip', 'Min', 'Max'];

interface Form {
  readonly name: string;
  readonly of: (x: number) => number;
  /** How far a spelling may be off. Default SAMPLE_TOLERANCE. */
  readonly tolerance?: number;
  readonly build: (x: string, output: string, fresh: (suffix: string) => string) => Node[];
}

const hardSigmoid = (x: number): number => Math.min(1, Math.max(0, x / 6 + 0.5));

const FORMS: readonly Form[] = [
  { name: 'HardSwish', of: (x) => x * hardSigmoid(x), build: (x, y) => [standard('HardSwish', [x], y)] },
  {
    name: 'HardSigmoid',
    of: hardSigmoid,
    build: (x, y) => [standard('HardSigmoid', [x], y, { alpha: 1 / 6, beta: 0.5 })],
  },
  {
    name: 'SiLU',
    of: (x) => x / (1 + Math.exp(-x)),
    build: (x, y, fresh) => {
      const gate = fresh('gate');
      return [standard('Sigmoid', [x], gate), standard('Mul', [x, gate], y)];
    },
  },
  {
    name: 'Mish',
    of: (x) => x * Math.tanh(Math.log1p(Math.exp(x))),
    build: (x, y) => [standard('Mish', [x], y)],
  },
  // A floor a little above 0 keeps logarithms and quotients finite: that is no Relu.
  { name: 'Relu', of: (x) => Math.max(0, x), tolerance: 0, build: (x, y) => [standard('Relu', [x], y)] },
];

/** Far enough out for every saturation, fine enough for every bend; none at 0, where forms agree. */
const SAMPLE_POINTS: readonly number[] = Array.from({ length: 64 }, (_, i) => (i - 31.5) / 4);
const SAMPLE_TOLERANCE = 1e-5;

function matchFormula(node: Node, graph: GraphView, { typeOf }: RuleContext): Edit | undefined {
  const [output = ''] = node.outputs;
  if (typeOf(output)?.dtype !== 'float32') return undefined;
  for (const x of formulaArguments(graph, output)) {
    const formula = scalarFormula(graph, output, x);
    const form = formula && FORMS.find((candidate) => isSpelling(formula, candidate));
    if (form === undefined || isSpelledSo(node, form, x, graph)) continue;
    return {
      reason: `${form.name} of ${x}`,
      remove: [node],
      add: form.build(x, output, (suffix) => graph.freshName(`${output}.${suffix}`)),
    };
  }
  return undefined;
}

function isSpelling(formula: (x: number) => number, { of, tolerance = SAMPLE_TOLERANCE }: Form): boolean {
  return SAMPLE_POINTS.every((at) => Math.abs(formula(at) - of(at)) <= tolerance);
}

/** SiLU as it is built here; the others end in an operator that no spelling ends in. */
function isSpelledSo(node: Node, { name }: Form, x: string, graph: GraphView): boolean {
  if (name !== 'SiLU' || node.opType !== 'Mul' || !node.inputs.includes(x)) return false;
  const gate = graph.producer(node.inputs.find((input) => input !== x) ?? '');
  return gate?.opType === 'Sigmoid' && gate.inputs[0] === x;
}

function standard(
  opType: string,
  inputs: readonly string[],
  output: string,
  values: Readonly<Record<string, number>> = {},
): Node {
  return { name: '', opType, domain: '', inputs, outputs: [output], attributes: attributes(values) };
}
