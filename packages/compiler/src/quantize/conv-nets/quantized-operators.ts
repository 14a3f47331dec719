import type { Node } from '../../ir/index.ts';
import { operatorName, type GraphView } from '../../rewrite/index.ts';
import { numberConstant } from '../../transforms/constants.ts';
import { stringAttribute } from '../../transforms/node-attributes.ts';

/**
 * How an operator runs on 8-bit values. `layer`: has weights; `same`: moves values, so input and output share one grid; `own`: its
 * output has a grid of its own; `table`: a function of one value, which 256 bytes tabulate.
 */
export type QuantizedKind = 'layer' | 'same' | 'concat' | 'own' | 'table';

const KINDS: Readonly<Record<string, QuantizedKind>> = {
  'edgewise.Conv': 'layer',
  'edgewise.Linear': 'layer',
  MaxPool: 'same',
  Slice: 'same',
  Flatten: 'same',
  Reshape: 'same',
  Transpose: 'same',
  Squeeze: 'same',
  Unsqueeze: 'same',
  Gather: 'same',
  Split: 'same',
  Pad: 'same',
  Resize: 'same',
  DepthToSpace: 'same',
  Concat: 'concat',
  Add: 'own',
  Mul: 'own',
  GlobalAveragePool: 'own',
  AveragePool: 'own',
  Relu: 'table',
  Clip: 'table',
  LeakyRelu: 'table',
  Sigmoid: 'table',
  HardSigmoid: 'table',
  HardSwish: 'table',
  Mish: 'table',
  Elu: 'table',
  Softplus: 'table',
  'edgewise.Gelu': 'table',
  Tanh: 'table',
  'com.microsoft.QuickGelu': 'table',
};

/** Undefined for operators that stay float. */
export function quantizedKind(node: Node, graph: GraphView): QuantizedKind | undefined {
  const kind = KINDS[operatorName(node)];
  // Cubic interpolation overshoots, other fills than 0 may lie off the grid.
  if (node.opType === 'Resize' && stringAttribute(node, 'mode', 'nearest') === 'cubic') return undefined;
  if (node.opType === 'Pad' && (node.inputs[2] ?? '') !== '' && numberConstant(graph, node.inputs[2]) !== 0)
    return undefined;
  return kind;
}

/** Operators that are the range of the value before them. */
export function isClamp(node: Node | undefined): boolean {
  return node !== undefined && node.domain === '' && (node.opType === 'Relu' || node.opType === 'Clip');
}
