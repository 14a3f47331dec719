import type { Node } from '../ir/index.ts';
import type { Edit, GraphView, Rule, Transform } from '../rewrite/index.ts';
import { ElementAnalysis } from './analysis/element-analysis.ts';
import { erf, evaluateElement, isElementFunction, readsOf } from './analysis/element.ts';
import { coordinatesOf } from './analysis/coordinates.ts';
import { float32Constant } from './constants.ts';
import { edgewiseNode, isStandard } from './edgewise-node.ts';
import { stringAttribute } from './node-attributes.ts';
import { FLOAT32_REORDERING, ruleTransform, type RuleContext } from './rule-transform.ts';

/**
 * Recognises GELU and writes `edgewise.Gelu`. Spelled-out forms are recognised by what they compute, not by their
 * operators: an element-wise formula over one value, with an Erf or Tanh in it, that equals GELU on sample points in any
 * operand order. Also `Gelu` of opset 20 and `Gelu`, `FastGelu`, `BiasGelu` of com.microsoft.
 */
export function fuseGelu(): Transform {
  return ruleTransform({
    name: 'fuseGelu',
    description: 'GELU with erf or tanh, spelled out or as an operator → Gelu',
    tolerance: FLOAT32_REORDERING,
    rules: (context) => [
      { name: 'spelled out', operators: ['Mul'], match: (node, graph) => matchFormula(node, graph, context) },
      NAMED,
      WITH_BIAS,
    ],
  });
}

type Approximation = 'none' | 'tanh';

const REFERENCE: Readonly<Record<Approximation, (x: number) => number>> = {
  none: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
  tanh: (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
};

/** erf and tanh GELU differ by up to 4.7e-4 between these points; rounded constants explain far less than 1e-5. */
const SAMPLE_POINTS: readonly number[] = Array.from({ length: 61 }, (_, i) => (i - 30) / 5);
const SAMPLE_TOLERANCE = 1e-5;

/** How far above the last multiplication the argument or the Erf may lie. */
const SEARCH_DEPTH = 8;

const NAMED: Rule = {
  name: 'operator',
  operators: ['Gelu', 'com.microsoft.Gelu', 'com.microsoft.FastGelu'],
  match: (node) => {
    if ((node.inputs[1] ?? '') !== '') return undefined; // FastGelu with a bias
    const approximate = node.opType === 'FastGelu' ? 'tanh' : stringAttribute(node, 'approximate', 'none');
    return {
      reason: `${node.opType} operator`,
      remove: [node],
      add: [edgewiseNode('Gelu', node, node.inputs.slice(0, 1), node.outputs, { approximate })],
    };
  },
};

const WITH_BIAS: Rule = {
  name: 'operator with bias',
  operators: ['com.microsoft.BiasGelu', 'com.microsoft.FastGelu'],
  match: (node, graph) => {
    const [x = '', bias = ''] = node.inputs;
    if (float32Constant(graph, bias) === undefined) return undefined;
    const sum = graph.freshName(`${node.outputs[0]}.biased`);
    const approximate = node.opType === 'FastGelu' ? 'tanh' : 'none';
    const add: Node = {
      name: '',
      opType: 'Add',
      domain: '',
      inputs: [x, bias],
      outputs: [sum],
      attributes: new Map(),
    };
    return {
      reason: `${node.opType} operator`,
      remove: [node],
      add: [add, edgewiseNode('Gelu', node, [sum], node.outputs, { approximate })],
    };
  },
};

function matchFormula(node: Node, graph: GraphView, { typeOf }: RuleContext): Edit | undefined {
  const [output = ''] = node.outputs;
  const approximate = findApproximation(node, graph);
  const shape = typeOf(output)?.shape;
  if (approximate === undefined || shape === undefined) return undefined;
  const analysis = new ElementAnalysis(graph, typeOf);
  const { at, coordinates } = coordinatesOf(shape);
  for (const x of argumentCandidates(node, graph)) {
    const element = analysis.at(output, at, { coordinates, stop: new Set([x]) });
    const isOfX = readsOf(element).every((read) => read.value === x && read.at.join() === at.join());
    if (!isOfX || !isGelu((value) => evaluateElement(element, () => value), approximate)) continue;
    return {
      reason: `GELU of ${x}`,
      remove: [node],
      add: [edgewiseNode('Gelu', node, [x], node.outputs, { approximate })],
    };
  }
  return undefined;
}

function isGelu(formula: (x: number) => number, approximate: Approximation): boolean {
  const expected = REFERENCE[approximate];
  return SAMPLE_POINTS.every((x) => Math.abs(formula(x) - expected(x)) <= SAMPLE_TOLERANCE);
}

/** Which function the formula above a node is built on; undefined when neither is near. */
function findApproximation(node: Node, graph: GraphView): Approximation | undefined {
  let level: Node[] = [node];
  for (let depth = 0; depth < SEARCH_DEPTH && level.length > 0; depth++) {
    if (level.some((above) => isStandard(above, 'Erf'))) return 'none';
    if (level.some((above) => isStandard(above, 'Tanh'))) return 'tanh';
    level = level.flatMap((above) => elementwiseInputs(above, graph));
  }
  return undefined;
}

/** Values read by the last multiplications: one of them is x in x · (…). */
function argumentCandidates(node: Node, graph: GraphView): string[] {
  const producers = node.inputs
    .map((value) => graph.producer(value))
    .filter((above) => isStandard(above, 'Mul'));
  const values = [...node.inputs, ...producers.flatMap((above) => above.inputs)];
  return [...new Set(values)].filter((value) => graph.constant(value) === undefined);
}

function elementwiseInputs(node: Node, graph: GraphView): Node[] {
  if (!isStandard(node, node.opType) || !isElementFunction(node.opType)) return [];
  return node.inputs.map((value) => graph.producer(value)).filter((above) => above !== undefined);
}
