import {
  float32Tensor,
  typedData,
  type Float32Tensor,
  type Model,
  type Node,
  type TensorType,
} from '../../ir/index.ts';
import { evaluateNode, inferTypes } from '../../ops/index.ts';
import { GraphIndex } from '../../rewrite/index.ts';
import type { ActivationGrid, ValueRange } from '../grids/activation-grid.ts';
import {
  chooseRange,
  leastErrorRange,
  type ActivationRange,
  type Elementwise,
} from '../ranges/activation-range.ts';
import type { ConvNetStatistics } from '../statistics/value-statistics.ts';
import { isClamp, quantizedKind } from './quantized-operators.ts';

/** What of a compact graph is quantized. */
export interface ConvNetPlan {
  readonly index: GraphIndex;
  readonly types: ReadonlyMap<string, TensorType>;
  /** Convolutions and linear layers with constant weights. */
  readonly layers: ReadonlySet<Node>;
  /** Layers, and what runs on 8-bit values on the way to one. */
  readonly region: ReadonlySet<Node>;
  /** Float values that get a grid, in graph order. */
  readonly values: readonly string[];
}

/**
 * Operators between layers run on 8-bit values as far as they can. What follows the last layers (softmax, the decoding of boxes)
 * stays float, and so do nodes for which `keeps` is true and what only they feed.
 */
export function planConvNet(model: Model, keeps: (node: string) => boolean): ConvNetPlan {
  const index = new GraphIndex(model.graph);
  const { types } = inferTypes(model);
  const { nodes } = model.graph;
  const isLayer = (node: Node): boolean =>
    quantizedKind(node, index) === 'layer' &&
    index.constant(node.inputs[1] ?? '') !== undefined &&
    !keeps(layerName(node));
  const layers = new Set(nodes.filter(isLayer));
  const before = new Set<Node>();
  for (const node of nodes.toReversed()) {
    const feeds = node.outputs.some((output) => index.consumers(output).some((next) => before.has(next)));
    if (layers.has(node) || (feeds && canRunBetween(node, index) && !keeps(layerName(node))))
      before.add(node);
  }
  const region = new Set<Node>();
  for (const node of nodes) {
    const isFed = dataInputs(node).some((input) => {
      const producer = index.producer(input);
      return producer === undefined || region.has(producer);
    });
    if (layers.has(node) || (before.has(node) && isFed)) region.add(node);
  }
  const isFloat = (value: string): boolean =>
    types.get(value)?.dtype === 'float32' && index.constant(value) === undefined;
  const candidates = [
    ...model.graph.inputs.map(({ name }) => name),
    ...nodes.flatMap(({ outputs }) => outputs),
  ];
  const values = candidates.filter((value) => value !== '' && isFloat(value) && isQuantized(value));
  return { index, types, layers, region, values };

  function isQuantized(value: string): boolean {
    const producer = index.producer(value);
    const consumers = index.consumers(value);
    const [only] = consumers;
    // The sum before a clamp is never stored: the clamp is the range of the addition's output.
    if (
      producer?.opType === 'Add' &&
      index.useCount(value) === 1 &&
      isClamp(only) &&
      only &&
      region.has(only)
    )
      return false;
    if (consumers.some((node) => region.has(node))) return true;
    if (producer === undefined || !region.has(producer)) return false;
    // A last linear layer hands over its sums as floats.
    return producer.opType !== 'Linear';
  }
}

/** Shape operators and sums with constants are quantized only where all data comes from values. */
function canRunBetween(node: Node, index: GraphIndex): boolean {
  const kind = quantizedKind(node, index);
  if (kind === undefined || kind === 'layer') return false;
  return dataInputs(node).every((input) => index.constant(input) === undefined);
}

/** Inputs that are activations; the others are weights, shapes or limits. */
function dataInputs(node: Node): readonly string[] {
  return ['Add', 'Mul', 'Concat'].includes(node.opType) ? node.inputs : node.inputs.slice(0, 1);
}

/** The node's name; an unnamed one goes by its output. */
export function layerName(node: Node): string {
  return node.name !== '' ? node.name : (node.outputs[0] ?? '');
}

/** By value. */
export type Grids = ReadonlyMap<string, ActivationGrid>;

/** A value's range; `tableError` is the mean squared error of what a table that reads it makes. */
export interface ChosenRange extends ValueRange {
  readonly tableError?: number;
}

/**
 * The range of each value. One that only a table reads gets the range that costs the table's output least: what a SiLU or a sigmoid
 * flattens needs no levels.
 */
export function chooseRanges(
  plan: ConvNetPlan,
  statistics: ConvNetStatistics,
  method: ActivationRange,
  opsets: Model['opsets'],
): Map<string, ChosenRange> {
  const ranges = new Map<string, ChosenRange>();
  for (const value of plan.values) {
    const histogram = statistics.get(value)?.histogram;
    if (histogram === undefined) continue;
    const table = tableOf(value, plan);
    if (table === undefined) {
      ranges.set(value, chooseRange(histogram, method));
      continue;
    }
    const { min, max, meanSquare } = leastErrorRange(histogram, functionOf(table, plan.index, opsets));
    ranges.set(value, { min, max, tableError: meanSquare });
  }
  return ranges;
}

/** The table that alone reads a value. */
export function tableOf(value: string, { index, region }: ConvNetPlan): Node | undefined {
  const [reader] = index.consumers(value);
  const isAlone = reader !== undefined && index.useCount(value) === 1 && region.has(reader);
  return isAlone && quantizedKind(reader, index) === 'table' ? reader : undefined;
}

/** What a node makes of its first input, other inputs being constants. */
function functionOf(node: Node, index: GraphIndex, opsets: Model['opsets']): Elementwise {
  const constants = node.inputs.slice(1).map((input) => index.constant(input));
  return (values) => {
    const [output] = evaluateNode(opsets, node, [float32Tensor([values.length], values), ...constants]) ?? [];
    return typedData(output as Float32Tensor);
  };
}

/**
 * The value whose grid each value takes: what moves numbers keeps their grid, and what is joined by Concat shares one, as long
 * as the shared range still clamps what a relu or clip has to.
 */
export function shareGrids(
  { index, region, values }: ConvNetPlan,
  ranges: ReadonlyMap<string, ValueRange>,
): Map<string, ValueRange> {
  const parents = new Map<string, string>();
  const rootOf = (value: string): string => {
    const parent = parents.get(value);
    return parent === undefined ? value : rootOf(parent);
  };
  const shared = new Map<string, ValueRange>();
  for (const value of values) {
    const node = index.producer(value);
    const isMoved = node !== undefined && region.has(node) && quantizedKind(node, index) === 'same';
    const range = ranges.get(value);
    if (isMoved) parents.set(value, node.inputs[0] ?? '');
    else if (range !== undefined) shared.set(value, range);
  }
  for (const value of values) {
    const node = index.producer(value);
    if (node === undefined || !region.has(node) || quantizedKind(node, index) !== 'concat') continue;
    const roots = [...new Set([...node.inputs, value].map(rootOf))];
    const joined = joinRanges(roots.map((root) => shared.get(root)));
    if (joined === undefined) continue;
    const [first = ''] = roots;
    for (const root of roots.slice(1)) parents.set(root, first);
    shared.set(first, joined);
  }
  return new Map(
    values.flatMap((value) => {
      const range = shared.get(rootOf(value));
      return range === undefined ? [] : [[value, range] as const];
    }),
  );
}

/** How much wider a shared range may be than the narrowest of those that share it: two bits are lost there. */
const WIDEST_SHARE = 4;

function joinRanges(ranges: readonly (ValueRange | undefined)[]): ValueRange | undefined {
  const known = ranges.filter((range) => range !== undefined);
  if (known.length < ranges.length) return undefined;
  const joined = {
    min: Math.min(...known.map(({ min }) => min)),
    max: Math.max(...known.map(({ max }) => max)),
  };
  // A value that never goes below 0 may owe that to its grid.
  const isMixed = joined.min < 0 && known.some(({ min }) => min >= 0);
  const narrowest = Math.min(...known.map(widthOf));
  return isMixed || widthOf(joined) > WIDEST_SHARE * narrowest ? undefined : joined;
}

function widthOf({ min, max }: ValueRange): number {
  return Math.max(0, max) - Math.min(0, min);
}
