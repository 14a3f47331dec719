import { CompilerError } from '../../diagnostics/index.ts';
import { type Model } from '../../ir/index.ts';
import { GraphIndex, type Edit, type GraphView, type TransformResult } from '../../rewrite/index.ts';
import { encoderLayers, type EncoderLayer } from './encoder-layers.ts';

/**
 * Applies one edit to one layer of a compact encoder.
 * @throws CompilerError `bad-option` where there is no such layer; what `encoderLayers` throws.
 */
export function editLayer(
  { verb, model, layer: at }: { readonly verb: string; readonly model: Model; readonly layer: number },
  edit: (layer: EncoderLayer, index: GraphView) => Edit | undefined,
): TransformResult {
  const index = new GraphIndex(model.graph);
  const layers = encoderLayers(model, index);
  const layer = layers[at];
  if (layer === undefined)
    throw new CompilerError(
      'bad-option',
      `${verb}: there is no layer ${at}; the model has ${layers.length}`,
      {
        hint: 'layers count from 0',
      },
    );
  const wanted = edit(layer, index);
  if (wanted === undefined) return { edits: 0 };
  index.apply(wanted);
  // Types of values whose width may have changed.
  for (const node of wanted.add ?? [])
    for (const output of node.outputs) model.graph.valueInfo.delete(output);
  index.commit();
  return { edits: 1 };
}
