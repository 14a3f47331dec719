import { substituteDim, type Dim, type Graph, type ValueInfo } from '../ir/index.ts';
import { defineTransform, LOSSLESS, type Transform } from '../rewrite/index.ts';

/**
 * Gives the batch, the first dimension of every input of rank 2 or more, the extent 1 where the model leaves it open.
 * A symbol that only names the batch is replaced everywhere. Batches that the model fixes stay as they are.
 */
export function fixBatch(): Transform {
  return defineTransform({
    name: 'fixBatch',
    description: 'open batches → 1',
    tolerance: LOSSLESS,
    apply: ({ graph }) => ({ edits: fix(graph) }),
  });
}

function fix(graph: Graph): number {
  const batches = graph.inputs.map(batchOf).filter((dim) => typeof dim === 'string');
  const values = new Map<string, Dim>(batches.map((symbol) => [symbol, 1]));
  let edits = 0;
  const rewrite = (info: ValueInfo, isInput: boolean): ValueInfo => {
    const { type } = info;
    if (type?.kind !== 'tensor' || type.shape === undefined) return info;
    const isOpen = isInput && batchOf(info) === null;
    const shape = type.shape.map((dim, axis) => (isOpen && axis === 0 ? 1 : substituteDim(dim, values)));
    if (shape.every((dim, axis) => dim === type.shape?.[axis])) return info;
    edits++;
    return { ...info, type: { ...type, shape } };
  };
  graph.inputs = graph.inputs.map((info) => rewrite(info, true));
  graph.outputs = graph.outputs.map((info) => rewrite(info, false));
  graph.valueInfo = new Map([...graph.valueInfo].map(([name, info]) => [name, rewrite(info, false)]));
  return edits;
}

/** Null for a batch without a name, a symbol for one with; undefined where there is none or it is fixed. */
function batchOf({ type }: ValueInfo): string | null | undefined {
  if (type?.kind !== 'tensor' || (type.shape?.length ?? 0) < 2) return undefined;
  const batch = type.shape?.[0];
  return typeof batch === 'number' ? undefined : batch;
}
