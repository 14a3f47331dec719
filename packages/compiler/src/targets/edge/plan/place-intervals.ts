/** A buffer that is alive from `first` to `last`, both included (steps, levels: any clock). */
export interface Interval {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

export interface Placement {
  /** Offset of each interval, in order. */
  readonly offsets: readonly number[];
  readonly bytes: number;
}

/** Which intervals to place first: the best one differs from program to program. */
const ORDERS: readonly ((a: Interval, b: Interval) => number)[] = [
  // "Greedy by size", Pisarchyk and Lee 2020, arXiv:2001.03288.
  (a, b) => b.bytes - a.bytes,
  (a, b) => a.first - b.first || b.bytes - a.bytes,
  (a, b) => b.last - b.first - (a.last - a.first) || b.bytes - a.bytes,
];

/**
 * Offsets such that intervals that are alive together do not overlap: one after the other in some order, each at the
 * lowest gap that holds it. Of several orders, the one that needs the fewest bytes.
 */
export function placeIntervals(intervals: readonly Interval[], alignment: number): Placement {
  const placements = ORDERS.map((order) => placeInOrder(intervals, alignment, order));
  return placements.reduce((best, placement) => (placement.bytes < best.bytes ? placement : best));
}

function placeInOrder(
  intervals: readonly Interval[],
  alignment: number,
  compare: (a: Interval, b: Interval) => number,
): Placement {
  const offsets = Array.from(intervals, () => 0);
  const sizes = intervals.map(({ bytes }) => Math.ceil(bytes / alignment) * alignment);
  const order = [...intervals.keys()].toSorted((a, b) => compare(intervals[a]!, intervals[b]!));
  const placed: number[] = [];
  for (const index of order) {
    const own = intervals[index]!;
    const neighbours = placed
      .filter((other) => intervals[other]!.first <= own.last && own.first <= intervals[other]!.last)
      .toSorted((a, b) => offsets[a]! - offsets[b]!);
    let offset = 0;
    for (const other of neighbours) {
      if (offset + sizes[index]! <= offsets[other]!) break;
      offset = Math.max(offset, offsets[other]! + sizes[other]!);
    }
    offsets[index] = offset;
    placed.push(index);
  }
  return { offsets, bytes: Math.max(0, ...intervals.map((_, index) => offsets[index]! + sizes[index]!)) };
}
