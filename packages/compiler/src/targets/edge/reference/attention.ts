import { LOG2_E, LOWEST_MAXIMUM, MASKED_SCORE } from '../kernels/math-constants.ts';
import { add, div, exp2, laneSum, mul, sub } from './math.ts';

export interface AttentionShape {
  heads: number;
  headSize: number;
  scale: number;
}

/**
 * softmax(q·kᵀ·scale + mask)·v per head, bit-identical to the kernel. Rows of q, k, v and the result have
 * heads·headSize floats; `keep` has one entry per key, false drops it.
 */
export function attention(
  q: Float32Array,
  k: Float32Array,
  v: Float32Array,
  { heads, headSize, scale }: AttentionShape,
  keep?: readonly boolean[],
): Float32Array {
  const hidden = heads * headSize;
  const queries = q.length / hidden;
  const keys = k.length / hidden;
  const factor = Math.fround(scale * LOG2_E);
  const y = new Float32Array(q.length);
  for (let head = 0; head < heads; head++) {
    for (let query = 0; query < queries; query++) {
      const at = (row: number, column: number): number => row * hidden + head * headSize + column;
      const scores = Float32Array.from({ length: keys }, (_, key) => {
        let sum = 0;
        for (let d = 0; d < headSize; d++) {
          sum = add(sum, mul(mul(q[at(query, d)] as number, factor), k[at(key, d)] as number));
        }
        return add(sum, (keep?.[key] ?? true) ? 0 : Math.fround(MASKED_SCORE));
      });
      const weights = scoreWeights(scores);
      const normalizer = div(
        1,
        Math.max(
          1,
          laneSum(keys, (key) => weights[key] as number),
        ),
      );
      for (let d = 0; d < headSize; d++) {
        let sum = 0;
        for (let key = 0; key < keys; key++) {
          sum = add(sum, mul(weights[key] as number, v[at(key, d)] as number));
        }
        y[at(query, d)] = mul(sum, normalizer);
      }
    }
  }
  return y;
}

function scoreWeights(scores: Float32Array): Float32Array {
  const maximum = scores.reduce((highest, score) => Math.max(highest, score), Math.fround(LOWEST_MAXIMUM));
  return scores.map((score) => {
    const distance = sub(score, maximum);
    return exp2(distance > -127 ? distance : -127);
  });
}
