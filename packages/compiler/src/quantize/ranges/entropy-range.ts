import type { ValueRange } from '../grids/activation-grid.ts';
import type { Histogram } from './histogram.ts';

/** Of the grid. */
const LEVELS = 256;

/** Bins between the ends that are tried. */
const STRIDE = 8;

/** Share of a bin that has numbers only because they were clipped into it. */
const SMALLEST_SHARE = 1e-6;

/**
 * The range −t … t, as far as there are numbers, whose 256 levels keep most of the information: the least Kullback-Leibler divergence of the numbers,
 * clipped, from what the levels make of them, each level spread over those of its bins that hold any (Migacz, "8-bit inference with
 * TensorRT", 2017). The bin of 0 counts as much as its neighbour, as in NVIDIA's pytorch-quantization: a relu makes
 * zeros that every grid holds exactly.
 */
export function entropyRange(histogram: Histogram): ValueRange {
  const counts = histogram.counts.slice();
  const zero = counts.length / 2;
  counts[zero] = Math.min(counts[zero]!, Math.max(counts[zero - 1]!, counts[zero + 1]!));
  // A grid always holds 0.
  const first = Math.min(zero, counts.findIndex(isPositive));
  const last = Math.max(zero, counts.findLastIndex(isPositive) + 1);
  const widest = Math.max(zero - first, last - zero);
  let best: ValueRange = { min: histogram.edge(first), max: histogram.edge(last) };
  let least = Infinity;
  for (let reach = widest; reach > 0; reach -= STRIDE) {
    const [low, high] = [Math.max(first, zero - reach), Math.min(last, zero + reach)];
    if (high - low < LEVELS) break;
    const found = divergence(counts, low, high);
    if (found >= least) continue;
    least = found;
    best = { min: histogram.edge(low), max: histogram.edge(high) };
  }
  return best;
}

function isPositive(count: number): boolean {
  return count > 0;
}

/** Σ p·log(p/q) over the bins low … high: p has what lies beyond in its end bins, q has not, and is level by level. */
function divergence(counts: Float64Array, low: number, high: number): number {
  const clipped = counts.slice(low, high);
  clipped[0]! += sum(counts.subarray(0, low));
  clipped[clipped.length - 1]! += sum(counts.subarray(high));
  const [total, inside] = [sum(clipped), sum(counts.subarray(low, high))];
  let result = 0;
  for (let level = 0; level < LEVELS; level++) {
    const start = low + Math.floor((level * (high - low)) / LEVELS);
    const end = low + Math.floor(((level + 1) * (high - low)) / LEVELS);
    const bins = counts.subarray(start, end);
    const filled = bins.reduce((number, count) => number + Number(count > 0), 0);
    const spread = sum(bins) / (inside * Math.max(1, filled));
    for (let bin = start; bin < end; bin++) {
      const p = clipped[bin - low]! / total;
      const q = counts[bin]! > 0 ? spread : SMALLEST_SHARE;
      if (p > 0) result += p * Math.log(p / q);
    }
  }
  return result;
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
