import { typedData } from '../ir/index.ts';
import type { GraphView } from '../rewrite/index.ts';
import { float32Constant } from './constants.ts';

/** A number per channel: y = x·factor + offset. */
export interface Affine {
  readonly factor: (channel: number) => number;
  readonly offset: (channel: number) => number;
}

/** x∘c as x·factor + offset, or c∘x when x is not the first operand. */
export function affineOf(
  opType: string,
  isFirst: boolean,
  numbers: ((channel: number) => number) | undefined,
): Affine | undefined {
  if (numbers === undefined) return undefined;
  const [zero, one] = [() => 0, () => 1];
  if (opType === 'Add') return { factor: one, offset: numbers };
  if (opType === 'Mul') return { factor: numbers, offset: zero };
  if (opType === 'Sub' && isFirst) return { factor: one, offset: (c) => -numbers(c) };
  if (opType === 'Sub') return { factor: () => -1, offset: numbers };
  return opType === 'Div' && isFirst ? { factor: (c) => 1 / numbers(c), offset: zero } : undefined;
}

/** A constant that holds one number, or one per channel of a map [N, C, …] of this rank. */
export function channelNumbers(
  graph: GraphView,
  value: string,
  channels: number,
  rank: number,
): ((channel: number) => number) | undefined {
  const tensor = float32Constant(graph, value);
  if (tensor === undefined || tensor.dims.length > rank) return undefined;
  const data = typedData(tensor);
  if (data.length === 1) return () => data[0] ?? 0;
  const dims = [...Array.from({ length: rank - tensor.dims.length }, () => 1), ...tensor.dims];
  const isPerChannel = dims.every((dim, axis) => dim === (axis === 1 ? channels : 1));
  return isPerChannel ? (channel) => data[channel] ?? 0 : undefined;
}
