import type { Node } from '../ir/index.ts';
import type { Edit, GraphView, Transform } from '../rewrite/index.ts';
import { coordinatesOf } from './analysis/coordinates.ts';
import { ElementAnalysis, type ElementQuery } from './analysis/element-analysis.ts';
import { evaluateElement, readsOf, type Element, type ReadElement } from './analysis/element.ts';
import { add, multiply, type Coordinates, type Index } from './analysis/index-arithmetic.ts';
import { edgewiseNode, isStandard } from './edgewise-node.ts';
import { intAttribute } from './node-attributes.ts';
import { FLOAT32_REORDERING, ruleTransform, type RuleContext } from './rule-transform.ts';

/**
 * Recognises multi-head attention over [B,S,H] projections and writes `edgewise.Attention`, whose mask is the [B,S] value
 * that the graph's mask was computed from.
 *
 * The rule looks at no particular spelling. It asks what one element of each operand is (`ElementAnalysis`): element
 * [b,h,q,d] of the query must be query[b, q, h·D+d] times a constant, and so on; element [b,h,q,k] of what goes into
 * the softmax must be scale·score where mask[b,k] is 1 and a number that underflows there where it is 0.
 *
 * A mask element counts as 0 or 1, which is what tokenizers give. Where all keys of a row are dropped the exporters
 * differ from each other (uniform weights, NaN, zeros); Attention gives zeros.
 */
export function fuseAttention(): Transform {
  return ruleTransform({
    name: 'fuseAttention',
    description: 'heads, scaled products, mask and softmax → Attention',
    tolerance: FLOAT32_REORDERING,
    rules: (context) => [
      {
        name: 'attention',
        operators: ['MatMul'],
        match: (node, graph) => matchAttention(node, graph, context),
      },
    ],
  });
}

/** A dropped key's score lies at least this far below the kept ones: e^-1000 is 0 in float32 and float64. */
const DROPPED_BELOW = 1000;

/** Scores far larger than attention makes them; the mask must win against all of these. */
const SAMPLE_SCORES: readonly number[] = [0, 1, -1, 2.5, -7, 40, -40];

/** Scales within rounding of 1/√D are meant to be it: exporters compute it in different precisions. */
const SCALE_TOLERANCE = 1e-6;

/** Transposes and reshapes between the weighted sum and the [B,S,H] result. */
const MAX_MERGE_STEPS = 6;

/** Query, key and head coordinates of one attention, with their extents. */
interface Heads {
  readonly at: {
    readonly b: Index;
    readonly h: Index;
    readonly q: Index;
    readonly k: Index;
    readonly d: Index;
  };
  readonly coordinates: Coordinates;
  readonly count: number;
  readonly size: number;
}

/** `node` is the product of weights and values. */
function matchAttention(node: Node, graph: GraphView, { typeOf }: RuleContext): Edit | undefined {
  const analysis = new ElementAnalysis(graph, typeOf);
  const [weights = '', values = ''] = node.inputs;
  const heads = headsOf(weights, values, analysis);
  if (heads === undefined) return undefined;
  const { b, h, q, k, d } = heads.at;
  const softmax = matchSoftmax(weights, heads, graph, analysis);
  const scores = softmax && matchScores(softmax.inputs[0] ?? '', heads, graph, analysis);
  if (scores === undefined) return undefined;
  const [left = '', right = ''] = scores.product.inputs;
  const column = headColumn(heads);
  const query = matchProjection(left, [b, h, q, d], [b, q, column], heads, analysis);
  const key = matchProjection(right, [b, h, d, k], [b, k, column], heads, analysis);
  const value = matchProjection(values, [b, h, k, d], [b, k, column], heads, analysis);
  if (query === undefined || key === undefined || value?.factor !== 1) return undefined;
  const merged = findMerged(node, heads, graph, analysis);
  if (merged === undefined) return undefined;

  const scale = snapScale(scores.factor * query.factor * key.factor, heads.size);
  const inputs = [query.value, key.value, value.value];
  if (scores.mask !== undefined) inputs.push(scores.mask);
  return {
    reason: `attention with ${heads.count} heads of ${heads.size}`,
    remove: [merged.node],
    add: [edgewiseNode('Attention', node, inputs, [merged.value], { num_heads: BigInt(heads.count), scale })],
  };
}

function headsOf(weights: string, values: string, analysis: ElementAnalysis): Heads | undefined {
  const shape = analysis.shape(weights);
  const size = analysis.shape(values)?.[3];
  if (shape?.length !== 4 || typeof shape[1] !== 'number' || typeof size !== 'number') return undefined;
  const { at, coordinates } = coordinatesOf([...shape, size]);
  const [b = 0, h = 0, q = 0, k = 0, d = 0] = at;
  return { at: { b, h, q, k, d }, coordinates, count: shape[1], size };
}

/** h·D + d: the column of [B,S,H] where element d of head h lies. */
function headColumn({ at, size }: Heads): Index {
  const start = multiply(at.h, size);
  const column = start === undefined ? undefined : add(start, at.d);
  if (column === undefined) throw new RangeError('attention heads are too large');
  return column;
}

/** The softmax whose result the weights are, a guard against NaN aside. */
function matchSoftmax(
  weights: string,
  { at, coordinates }: Heads,
  graph: GraphView,
  analysis: ElementAnalysis,
): Node | undefined {
  const place = [at.b, at.h, at.q, at.k];
  const element = analysis.at(weights, place, { coordinates });
  const read = onlyRead(element, place);
  const softmax = read && graph.producer(read.value);
  if (!isStandard(softmax, 'Softmax') || ![-1, 3].includes(intAttribute(softmax, 'axis', -1)))
    return undefined;
  return [0, 0.25, 1].every((x) => evaluateElement(element, () => x) === x) ? softmax : undefined;
}

interface Scores {
  /** Query times transposed key. */
  readonly product: Node;
  readonly factor: number;
  /** The [B,S] value that drops keys where it is 0; undefined when no key is dropped. */
  readonly mask: string | undefined;
}

/** What goes into the softmax: a factor times the product, and a mask over keys. */
function matchScores(
  value: string,
  { at, coordinates }: Heads,
  graph: GraphView,
  analysis: ElementAnalysis,
): Scores | undefined {
  const place = [at.b, at.h, at.q, at.k];
  const element = analysis.at(value, place, { coordinates });
  const reads = readsOf(element);
  const score = reads.find((read) => isStandard(graph.producer(read.value), 'MatMul'));
  const mask = reads.find((read) => read.value !== score?.value);
  const product = score && graph.producer(score.value);
  if (score === undefined || product === undefined || score.at.join() !== place.join()) return undefined;
  const isExpected = (read: ReadElement): boolean =>
    read.value === score.value
      ? read.at.join() === place.join()
      : read.value === mask?.value && read.at.join() === [at.b, at.k].join();
  if (!reads.every(isExpected)) return undefined;

  const evaluate = (x: number, kept: number): number =>
    evaluateElement(element, (read) => (read.value === score.value ? x : kept));
  const offset = evaluate(0, 1);
  const factor = evaluate(1, 1) - offset;
  if (!(factor > 0) || !Number.isFinite(offset)) return undefined;
  // Softmax does not see a constant offset.
  const isAffine = SAMPLE_SCORES.every((x) => isNear(evaluate(x, 1), factor * x + offset));
  if (!isAffine) return undefined;
  if (mask === undefined) return { product, factor, mask: undefined };
  const drops = SAMPLE_SCORES.every((x) => evaluate(x, 0) <= offset - 40 * factor - DROPPED_BELOW);
  if (!drops || !isMask(mask, graph, analysis)) return undefined;
  return { product, factor, mask: mask.value };
}

/** Only an input of the graph, or a bool, is known to be 0 or 1. */
function isMask({ value }: ReadElement, graph: GraphView, analysis: ElementAnalysis): boolean {
  if (analysis.shape(value)?.length !== 2) return false;
  return graph.isInput(value) || analysis.typeOf(value)?.dtype === 'bool';
}

/** An operand that is a [B,S,H] value cut into heads, times a factor. */
function matchProjection(
  operand: string,
  place: readonly Index[],
  source: readonly Index[],
  { coordinates }: ElementQuery,
  analysis: ElementAnalysis,
): { value: string; factor: number } | undefined {
  const element = analysis.at(operand, place, { coordinates });
  const read = onlyRead(element, source);
  if (read === undefined) return undefined;
  const evaluate = (x: number): number => evaluateElement(element, () => x);
  const factor = evaluate(1);
  const isLinear = factor > 0 && SAMPLE_SCORES.every((x) => isNear(evaluate(x), factor * x));
  return isLinear ? { value: read.value, factor } : undefined;
}

/** Follows the weighted sum [B,h,S,D] to where it is [B,S,H] again. */
function findMerged(
  node: Node,
  heads: Heads,
  graph: GraphView,
  analysis: ElementAnalysis,
): { node: Node; value: string } | undefined {
  const { at, coordinates } = heads;
  const [sum = ''] = node.outputs;
  const stop = new Set([sum]);
  const place = [at.b, at.h, at.q, at.d].join();
  let value = sum;
  for (let step = 0; step < MAX_MERGE_STEPS; step++) {
    const next = onlyReader(value, graph);
    if (next === undefined) return undefined;
    value = next.outputs[0] ?? '';
    if (analysis.shape(value)?.length !== 3) continue;
    const element = analysis.at(value, [at.b, at.q, headColumn(heads)], { coordinates, stop });
    if (element.kind === 'read' && element.value === sum && element.at.join() === place)
      return { node: next, value };
  }
  return undefined;
}

/** The one node that reads a value's elements; others may ask for its shape. */
function onlyReader(value: string, graph: GraphView): Node | undefined {
  const readers = graph.consumers(value).filter((node) => !isStandard(node, 'Shape'));
  return readers.length === 1 && !graph.isOutput(value) ? readers[0] : undefined;
}

/** The formula's read when all its reads are the same element, at this place. */
function onlyRead(element: Element, place: readonly Index[]): ReadElement | undefined {
  const [first, ...others] = readsOf(element);
  if (first === undefined || first.at.join() !== place.join()) return undefined;
  const same = others.every((read) => read.value === first.value && read.at.join() === place.join());
  return same ? first : undefined;
}

function snapScale(scale: number, size: number): number {
  const usual = Math.fround(1 / Math.sqrt(size));
  return Math.abs(scale - usual) <= SCALE_TOLERANCE * usual ? usual : Math.fround(scale);
}

function isNear(actual: number, expected: number): boolean {
  return Math.abs(actual - expected) <= 1e-6 * Math.max(1, Math.abs(expected));
}
