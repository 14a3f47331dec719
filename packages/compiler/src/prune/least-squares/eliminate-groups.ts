import { invertPositive } from './invert-positive.ts';
import { multiplySquare } from './multiply-square.ts';

export interface EliminateGroupsOptions {
  /** H⁻¹ [n,n]; changed. */
  readonly inverse: Float64Array;
  /** W [n,outputs]; changed into the best weight without the groups removed. */
  readonly weight: Float64Array;
  readonly outputs: number;
  /** Rows of a group; groups begin at row 0, and rows behind the last one always stay. */
  readonly groupSize: number;
  readonly groupCount: number;
  /** Groups to remove. */
  readonly remove: number;
}

export interface EliminatedGroups {
  /** Groups that stay, ascending. */
  readonly keep: readonly number[];
  /** Rise of the error with each removal, in order. */
  readonly costs: readonly number[];
}

/**
 * Removes rows of the weight in groups, one after the other, always the group without which the others can make up for best. For the error
 * tr((W − W*)ᵀ·H·(W − W*)) the removal of rows S costs tr(W_Sᵀ·B·W_S) with B = (H⁻¹_SS)⁻¹, and leaves W − H⁻¹_:S·B·W_S as the best weight
 * and H⁻¹ − H⁻¹_:S·B·H⁻¹_S: as the inverse: the optimal brain surgeon (Hassibi & Stork 1993) for groups, as in Kurtic et al.
 * 2023, "ZipLM: Inference-Aware Structured Pruning of Language Models".
 */
export function eliminateGroups(options: EliminateGroupsOptions): EliminatedGroups {
  const { weight, outputs, groupSize, groupCount, remove } = options;
  const groups = new Set(Array.from({ length: groupCount }, (_, group) => group));
  const costs: number[] = [];
  for (let round = 0; round < remove; round++) {
    let cheapest = -1;
    let least = Infinity;
    for (const group of groups) {
      const rows = weight.subarray(group * groupSize * outputs, (group + 1) * groupSize * outputs);
      const cost = dot(rows, multiplySquare(blockOf(options, group), rows, outputs));
      if (cost >= least) continue;
      [cheapest, least] = [group, cost];
    }
    eliminate(options, cheapest);
    groups.delete(cheapest);
    costs.push(least);
  }
  return { keep: [...groups], costs };
}

function eliminate(options: EliminateGroupsOptions, group: number): void {
  const { inverse, weight, outputs, groupSize } = options;
  const n = Math.sqrt(inverse.length);
  const first = group * groupSize;
  const block = blockOf(options, group);
  for (const [matrix, width] of [
    [weight, outputs],
    [inverse, n],
  ] as const) {
    const change = multiplySquare(block, matrix.subarray(first * width, (first + groupSize) * width), width);
    for (let row = 0; row < n; row++) {
      const factors = inverse.slice(row * n + first, row * n + first + groupSize);
      subtractRows(matrix, row * width, factors, change, width);
    }
    matrix.fill(0, first * width, (first + groupSize) * width);
  }
}

/** B [groupSize, groupSize] of a group. */
function blockOf({ inverse, groupSize }: EliminateGroupsOptions, group: number): Float64Array {
  const n = Math.sqrt(inverse.length);
  const block = new Float64Array(groupSize * groupSize);
  for (let row = 0; row < groupSize; row++) {
    const start = (group * groupSize + row) * n + group * groupSize;
    block.set(inverse.subarray(start, start + groupSize), row * groupSize);
  }
  invertPositive(block, groupSize);
  return block;
}

/** matrix[start…] −= Σ factors[k] · rows[k]. */
function subtractRows(
  matrix: Float64Array,
  start: number,
  factors: Float64Array,
  rows: Float64Array,
  width: number,
): void {
  for (let k = 0; k < factors.length; k++) {
    const factor = factors[k]!;
    // Rows that went.
    if (factor === 0) continue;
    for (let j = 0; j < width; j++) matrix[start + j]! -= factor * rows[k * width + j]!;
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
