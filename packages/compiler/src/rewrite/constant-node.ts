import { float32Tensor, int64Tensor, type Node, type Tensor } from '../ir/index.ts';

/** The tensor that a `Constant` node of ai.onnx stands for; undefined for other nodes. */
export function constantOf(node: Node): Tensor | undefined {
  if (node.opType !== 'Constant' || node.domain !== '') return undefined;
  const [attribute] = node.attributes.values();
  switch (attribute?.kind) {
    case 'tensor':
      return attribute.value;
    case 'float':
      return float32Tensor([], [attribute.value]);
    case 'floats':
      return float32Tensor([attribute.value.length], attribute.value);
    case 'int':
      return int64Tensor([], [attribute.value]);
    case 'ints':
      return int64Tensor([attribute.value.length], attribute.value);
    case 'string':
      return { kind: 'string', dtype: 'string', dims: [], strings: [attribute.value] };
    case 'strings':
      return { kind: 'string', dtype: 'string', dims: [attribute.value.length], strings: attribute.value };
    default:
      return undefined;
  }
}
