import { pool } from '../feature-extraction/pooling.ts';
import type { Pooling } from '../format/index.ts';
import type { Tensor } from '../session/session.ts';

/**
 * One vector from [1, size], from a feature map [1, channels, rows, columns] (its mean over the positions), or from the
 * patches of a transformer [1, patches, size] as the package says.
 */
export function poolFeatures(features: Tensor, pooling: Pooling): Float32Array {
  if (features.shape.length !== 4) return pool(features, pooling);
  const channels = features.shape[1] ?? 0;
  const positions = features.data.length / channels;
  return Float32Array.from({ length: channels }, (_, channel) => {
    const map = features.data.subarray(channel * positions, (channel + 1) * positions);
    return (map as Float32Array).reduce((sum, value) => sum + value, 0) / positions;
  });
}
