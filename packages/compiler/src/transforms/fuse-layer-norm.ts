import { float32Tensor, type Node, type Tensor } from '../ir/index.ts';
import type { Edit, GraphView, Transform } from '../rewrite/index.ts';
import { numberConstant, numbersConstant, rowConstant } from './constants.ts';
import { edgewiseNode, isStandard } from './edgewise-node.ts';
import { floatAttribute, intAttribute, intsAttribute } from './node-attributes.ts';
import { FLOAT32_REORDERING, ruleTransform, type RuleContext } from './rule-transform.ts';

/**
 * Recognises layer normalization over the last axis with constant gamma and beta, as the standard operator or spelled
 * out in means, differences and roots, and writes `edgewise.LayerNorm`. A missing beta becomes zeros.
 */
export function fuseLayerNorm(): Transform {
  return ruleTransform({
    name: 'fuseLayerNorm',
    description: 'layer normalization, standard or spelled out → LayerNorm',
    tolerance: FLOAT32_REORDERING,
    rules: (context) => [
      {
        name: 'LayerNormalization',
        operators: ['LayerNormalization'],
        match: (node, graph) => matchStandard(node, graph, context),
      },
      {
        name: 'spelled out',
        operators: ['Add'],
        match: (node, graph) => matchSpelledOut(node, graph, context),
      },
      {
        name: 'factored',
        operators: ['Add'],
        match: (node, graph) => matchFactored(node, graph, context),
      },
    ],
  });
}

interface LayerNorm {
  readonly x: string;
  readonly gamma: string;
  readonly beta: string;
  readonly epsilon: number;
}

function matchStandard(node: Node, graph: GraphView, context: RuleContext): Edit | undefined {
  const [x = '', gamma = '', beta = ''] = node.inputs;
  const axis = intAttribute(node, 'axis', -1);
  if (axis !== -1 && axis + 1 !== context.typeOf(x)?.shape?.length) return undefined;
  if (node.outputs.slice(1).some((output) => graph.useCount(output) > 0)) return undefined;
  const epsilon = floatAttribute(node, 'epsilon', 1e-5);
  return layerNormEdit(node, graph, context, { x, gamma, beta, epsilon });
}

/** (x − mean(x)) / √(mean((x − mean(x))²) + ε) · gamma + beta */
function matchSpelledOut(node: Node, graph: GraphView, context: RuleContext): Edit | undefined {
  for (const [product = '', beta = ''] of eitherWay(node)) {
    const mul = graph.producer(product);
    if (!isStandard(mul, 'Mul') || graph.constant(beta) === undefined) continue;
    for (const [normalized = '', gamma = ''] of eitherWay(mul)) {
      if (graph.constant(gamma) === undefined) continue;
      const parts = matchNormalized(normalized, graph, context);
      if (parts !== undefined) return layerNormEdit(node, graph, context, { ...parts, gamma, beta });
    }
  }
  return undefined;
}

/** x · s + (beta − mean(x) · s) with s = gamma / √(mean((x − mean(x))²) + ε): how TensorFlow writes it. */
function matchFactored(node: Node, graph: GraphView, context: RuleContext): Edit | undefined {
  for (const [product = '', shift = ''] of eitherWay(node)) {
    const mul = graph.producer(product);
    const sub = graph.producer(shift);
    if (!isStandard(mul, 'Mul') || !isStandard(sub, 'Sub')) continue;
    const [beta = '', offset = ''] = sub.inputs;
    const meanProduct = graph.producer(offset);
    if (!isStandard(meanProduct, 'Mul') || graph.constant(beta) === undefined) continue;
    for (const [x = '', slope = ''] of eitherWay(mul)) {
      const mean = meanProduct.inputs.find((input) => input !== slope) ?? '';
      if (!meanProduct.inputs.includes(slope) || matchMean(mean, graph, context) !== x) continue;
      const parts = matchSlope(graph.producer(slope), x, graph, context);
      if (parts !== undefined) return layerNormEdit(node, graph, context, { x, beta, ...parts });
    }
  }
  return undefined;
}

/** gamma / √(variance of x + ε) */
function matchSlope(
  node: Node | undefined,
  x: string,
  graph: GraphView,
  context: RuleContext,
): { gamma: string; epsilon: number } | undefined {
  if (!isStandard(node, 'Mul')) return undefined;
  for (const [inverse = '', gamma = ''] of eitherWay(node)) {
    const deviation = inverseRootOf(graph.producer(inverse), graph);
    if (deviation === undefined || graph.constant(gamma) === undefined) continue;
    const epsilon = matchVariance(deviation, x, graph, context);
    if (epsilon !== undefined) return { gamma, epsilon };
  }
  return undefined;
}

function layerNormEdit(
  node: Node,
  graph: GraphView,
  { typeOf }: RuleContext,
  { x, gamma, beta, epsilon }: LayerNorm,
): Edit | undefined {
  const shape = typeOf(x)?.shape;
  const width = shape?.at(-1);
  const ranks = [gamma, beta].map((name) => graph.constant(name)?.dims.length ?? 0);
  if (shape === undefined || typeof width !== 'number' || Math.max(...ranks) > shape.length) return undefined;
  const gammaRow = rowConstant(graph, gamma, width);
  const betaRow =
    beta === '' ? float32Tensor([width], new Float32Array(width)) : rowConstant(graph, beta, width);
  if (gammaRow === undefined || betaRow === undefined) return undefined;
  const initializers = new Map<string, Tensor>();
  const named = (name: string, row: Tensor): string => {
    if (graph.constant(name) === row) return name;
    const fresh = graph.freshName(name === '' ? `${gamma}.beta` : `${name}.row`);
    initializers.set(fresh, row);
    return fresh;
  };
  const inputs = [x, named(gamma, gammaRow), named(beta, betaRow)];
  return {
    reason: `layer normalization of ${x}`,
    remove: [node],
    add: [edgewiseNode('LayerNorm', node, inputs, node.outputs.slice(0, 1), { epsilon })],
    initializers,
  };
}

function matchNormalized(
  value: string,
  graph: GraphView,
  context: RuleContext,
): { x: string; epsilon: number } | undefined {
  const quotient = matchQuotient(graph.producer(value), graph);
  if (quotient === undefined) return undefined;
  const x = matchCentered(quotient.centered, graph, context);
  if (x === undefined) return undefined;
  const epsilon = matchVariance(quotient.deviation, x, graph, context);
  return epsilon === undefined ? undefined : { x, epsilon };
}

/** ε in mean((x − mean(x))²) + ε. */
function matchVariance(value: string, x: string, graph: GraphView, context: RuleContext): number | undefined {
  const sum = graph.producer(value);
  if (!isStandard(sum, 'Add')) return undefined;
  for (const [variance = '', epsilonName = ''] of eitherWay(sum)) {
    const epsilon = numberConstant(graph, epsilonName);
    if (epsilon === undefined) continue;
    const square = matchMean(variance, graph, context);
    const base = square === undefined ? undefined : matchSquare(graph.producer(square), graph);
    if (base !== undefined && matchCentered(base, graph, context) === x) return epsilon;
  }
  return undefined;
}

/** centered / √deviation, or times the reciprocal of it. */
function matchQuotient(
  node: Node | undefined,
  graph: GraphView,
): { centered: string; deviation: string } | undefined {
  if (isStandard(node, 'Div')) {
    const root = graph.producer(node.inputs[1] ?? '');
    const deviation = squareRootOf(root, graph);
    return deviation === undefined ? undefined : { centered: node.inputs[0] ?? '', deviation };
  }
  if (!isStandard(node, 'Mul')) return undefined;
  for (const [centered = '', inverse = ''] of eitherWay(node)) {
    const deviation = inverseRootOf(graph.producer(inverse), graph);
    if (deviation !== undefined) return { centered, deviation };
  }
  return undefined;
}

function inverseRootOf(node: Node | undefined, graph: GraphView): string | undefined {
  return isStandard(node, 'Reciprocal')
    ? squareRootOf(graph.producer(node.inputs[0] ?? ''), graph)
    : powerOf(node, -0.5, graph);
}

function squareRootOf(node: Node | undefined, graph: GraphView): string | undefined {
  return isStandard(node, 'Sqrt') ? node.inputs[0] : powerOf(node, 0.5, graph);
}

function powerOf(node: Node | undefined, exponent: number, graph: GraphView): string | undefined {
  return isStandard(node, 'Pow') && numberConstant(graph, node.inputs[1]) === exponent
    ? node.inputs[0]
    : undefined;
}

function matchSquare(node: Node | undefined, graph: GraphView): string | undefined {
  if (isStandard(node, 'Mul') && node.inputs[0] === node.inputs[1]) return node.inputs[0];
  return powerOf(node, 2, graph);
}

/** x in x − mean(x). */
function matchCentered(value: string, graph: GraphView, context: RuleContext): string | undefined {
  const sub = graph.producer(value);
  if (!isStandard(sub, 'Sub')) return undefined;
  const [x, mean = ''] = sub.inputs;
  return x !== undefined && matchMean(mean, graph, context) === x ? x : undefined;
}

/** x in a mean over the last axis that keeps the axis. */
function matchMean(value: string, graph: GraphView, { typeOf }: RuleContext): string | undefined {
  const node = graph.producer(value);
  if (!isStandard(node, 'ReduceMean') || intAttribute(node, 'keepdims', 1) !== 1) return undefined;
  const axes = intsAttribute(node, 'axes') ?? numbersConstant(graph, node.inputs[1], 8);
  const [x = ''] = node.inputs;
  const [axis, ...others] = axes ?? [];
  const isLast = axis === -1 || (axis !== undefined && axis + 1 === typeOf(x)?.shape?.length);
  return isLast && others.length === 0 ? x : undefined;
}

function eitherWay(node: Node): readonly (readonly string[])[] {
  return [node.inputs, node.inputs.toReversed()];
}
