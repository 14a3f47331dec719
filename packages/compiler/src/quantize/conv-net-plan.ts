import type { Model, Node, TensorType } from '../ir/index.ts';
import { inferTypes } from '../ops/index.ts';
import { GraphIndex } from '../rewrite/index.ts';
import type { ValueRange } from './activation-grid.ts';
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
 * Operators on the way to a layer run on 8-bit values as far as they can; what follows the last layers (softmax, the decoding of
 * boxes) stays float, and so does a layer for which `keeps` is true.
 */
export function planConvNet(model: Model, keeps: (layer: string) => boolean): ConvNetPlan {
  const index = new GraphIndex(model.graph);
  const { types } = inferTypes(model);
  const { nodes } = model.graph;
  const isLayer = (node: Node): boolean =>
    quantizedKind(node) === 'layer' &&
    index.constant(node.inputs[1] ?? '') !== undefined &&
    !keeps(layerName(node));
  const layers = new Set(nodes.filter(isLayer));
  const region = new Set<Node>();
  for (const node of nodes.toReversed()) {
    const feeds = node.outputs.some((output) =>
      index.consumers(output).some((next) => region.has(next) || layers.has(next)),
    );
    const kind = quantizedKind(node);
    if (
      layers.has(node) ||
      (feeds && kind !== undefined && kind !== 'layer' && hasComputedInputs(node, index))
    )
      region.add(node);
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
function hasComputedInputs(node: Node, index: GraphIndex): boolean {
  const data = ['Add', 'Mul', 'Concat'].includes(node.opType) ? node.inputs : node.inputs.slice(0, 1);
  return data.every((input) => index.constant(input) === undefined);
}

/** The node's name; an unnamed one goes by its output. */
export function layerName(node: Node): string {
  return node.name !== '' ? node.name : (node.outputs[0] ?? '');
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
    const isMoved = node !== undefined && region.has(node) && quantizedKind(node) === 'same';
    const range = ranges.get(value);
    if (isMoved) parents.set(value, node.inputs[0] ?? '');
    else if (range !== undefined) shared.set(value, range);
  }
  for (const value of values) {
    const node = index.producer(value);
    if (node === undefined || !region.has(node) || quantizedKind(node) !== 'concat') continue;
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
