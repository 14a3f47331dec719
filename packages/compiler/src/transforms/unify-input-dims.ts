import { substituteDim, type Dim, type Graph, type TensorType, type ValueInfo } from '../ir/index.ts';
import { defineTransform, LOSSLESS, type Transform } from '../rewrite/index.ts';

/** What exporters call the inputs of an encoder, TensorFlow's `:0` aside. All of them are [batch, sequence]. */
const TOKEN_INPUTS = /^(input_ids|attention_mask|input_mask|token_type_ids|segment_ids|position_ids)(:0)?$/;

/** Names for dimensions that the model leaves open. */
const OPEN_DIMS = ['batch', 'sequence'] as const;

/**
 * Says that the token inputs of an encoder have one shape. Some exporters give each input symbols of its own, or none;
 * then nothing in the graph tells that the mask is as long as the sentence. Fixed dimensions stay as they are.
 */
export function unifyInputDims(): Transform {
  return defineTransform({
    name: 'unifyInputDims',
    description: 'one batch and one sequence length for all token inputs',
    tolerance: LOSSLESS,
    apply: ({ graph }) => ({ edits: unify(graph) }),
  });
}

function unify(graph: Graph): number {
  const shapes = graph.inputs.filter(({ name }) => TOKEN_INPUTS.test(name)).map(rowShape);
  if (shapes.length === 0 || !shapes.every((shape) => shape !== undefined)) return 0;
  const common = OPEN_DIMS.map((open, axis) => commonDim(shapes.map((shape) => shape[axis] ?? null)) ?? open);
  const replacements = new Map<string, Dim>();
  for (const shape of shapes)
    for (const [axis, dim] of shape.entries())
      if (typeof dim === 'string' && dim !== common[axis]) replacements.set(dim, common[axis] ?? null);

  let edits = 0;
  const rewrite = (info: ValueInfo): ValueInfo => {
    const { type } = info;
    if (type?.kind !== 'tensor' || type.shape === undefined) return info;
    const known = TOKEN_INPUTS.test(info.name)
      ? type.shape.map((dim, axis) => dim ?? common[axis] ?? null)
      : type.shape;
    const shape = known.map((dim) => substituteDim(dim, replacements));
    if (shape.every((dim, axis) => dim === type.shape?.[axis])) return info;
    edits++;
    return { ...info, type: { ...type, shape } satisfies TensorType };
  };
  graph.inputs = graph.inputs.map(rewrite);
  graph.outputs = graph.outputs.map(rewrite);
  graph.valueInfo = new Map([...graph.valueInfo].map(([name, info]) => [name, rewrite(info)]));
  return edits;
}

function rowShape({ type }: ValueInfo): readonly Dim[] | undefined {
  return type?.kind === 'tensor' && type.shape?.length === 2 ? type.shape : undefined;
}

/** A fixed extent wins, then the first symbol; undefined when all are open. */
function commonDim(dims: readonly Dim[]): Dim | undefined {
  return dims.find((dim) => typeof dim === 'number') ?? dims.find((dim) => dim !== null);
}
