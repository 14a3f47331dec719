import type { DenseTensor } from '../ir/index.ts';
import { defineTransform, GraphIndex, LOSSLESS, type Transform } from '../rewrite/index.ts';

/** Keeps one of several equal constants (same type, dims and bytes); exporters repeat shapes, scales and tied weights. */
export function mergeInitializers(): Transform {
  return defineTransform({
    name: 'mergeInitializers',
    description: 'store equal constants once',
    tolerance: LOSSLESS,
    apply: ({ graph }) => {
      const index = new GraphIndex(graph);
      const buckets = new Map<string, { name: string; tensor: DenseTensor }[]>();
      let edits = 0;
      for (const [name, tensor] of graph.initializers) {
        if (tensor.kind !== 'dense' || index.isInput(name) || index.isOutput(name)) continue;
        const key = bucketOf(tensor);
        const bucket = buckets.get(key) ?? [];
        const twin = bucket.find((other) => sameBytes(other.tensor.data, tensor.data));
        if (twin === undefined) {
          buckets.set(key, [...bucket, { name, tensor }]);
          continue;
        }
        index.apply({ reason: `equals ${twin.name}`, remove: [], replace: new Map([[name, twin.name]]) });
        graph.initializers.delete(name);
        edits++;
      }
      index.commit();
      return { edits };
    },
  });
}

/** Equal tensors share a bucket; few others do. */
function bucketOf({ dtype, dims, data }: DenseTensor): string {
  return `${dtype} ${dims.join()} ${data.subarray(0, 64).join()} ${data.subarray(-64).join()}`;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || (a.length === b.length && a.every((byte, i) => byte === b[i]));
}
