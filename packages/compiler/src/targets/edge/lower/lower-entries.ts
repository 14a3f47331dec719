import type { Node } from '../../../ir/index.ts';
import { concatenate } from './lower-moves.ts';
import type { LoweringContext } from './lowering-context.ts';
import { sliceView } from '../program/tensor-view.ts';

/** For operators whose kernels take one map: the entries of a batch go through them one after the other. */
export function byEntry(
  lower: (context: LoweringContext, node: Node) => void,
): (context: LoweringContext, node: Node) => void {
  return (context, node) => {
    const view = context.tensor(node, 0);
    const [batch] = view.dims;
    if (batch === 1 || batch === 'sequence' || view.dims.length < 3) return lower(context, node);
    const [name = '', ...constants] = node.inputs;
    const maps = context.relaid(node, view, 1);
    const parts = Array.from({ length: batch! }, (_, entry) => {
      const part = `${name}[${entry}]`;
      context.define({ ...node, outputs: [part] }, sliceView(maps, 0, entry, 1));
      // Under one name, by which the packed weights are known.
      lower(context, { ...node, inputs: [part, ...constants] });
      return { view: context.tensor({ ...node, inputs: node.outputs }, 0) };
    });
    concatenate(context, node, parts, 0);
  };
}
