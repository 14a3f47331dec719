import { CompilerError } from '../../diagnostics/index.ts';
import {
  denseTensor,
  float32Tensor,
  isFloat32,
  typedData,
  type Float32Tensor,
  type Node,
  type Tensor,
} from '../../ir/index.ts';
import {
  defineTransform,
  rewriteGraph,
  type Edit,
  type GraphView,
  type Transform,
} from '../../rewrite/index.ts';
import type { WeightRange } from '../weights/choose-scale.ts';
import type { LayerEffect } from '../layer-effect.ts';
import { LOSSY } from '../lossy.ts';
import { quantizeColumns } from '../weights/quantize-columns.ts';

export interface QuantizeLstmsOptions {
  /** 7: one exact instruction per 16 products on every CPU. 8: twice as fine. Default 7. */
  readonly weightBits?: 7 | 8;
  /** How the scale of each gate of each unit is chosen. Default mse. */
  readonly weightRange?: WeightRange;
  /** Called for each weight quantized. */
  readonly onLayer?: (effect: LayerEffect) => void;
}

const CONTRIB = 'com.microsoft';

/**
 * Turns LSTM layers into com.microsoft `DynamicQuantizeLSTM`: int8 weights with one symmetric scale for each gate of each unit, input and
 * hidden state quantized to 8 bits at every step. Layers whose weights are not constant float32, or that have peepholes, stay
 * as they are.
 * @throws CompilerError `bad-option` for other bits.
 */
export function quantizeLstms(options: QuantizeLstmsOptions = {}): Transform {
  const { weightBits = 7, weightRange = 'mse', onLayer } = options;
  if (weightBits !== 7 && weightBits !== 8)
    throw new CompilerError(
      'bad-option',
      `quantizeLstms: weightBits must be 7 or 8, got ${String(weightBits)}`,
    );
  return defineTransform({
    name: 'quantizeLstms',
    description: 'int8 weights and 8-bit activations for LSTM layers',
    tolerance: LOSSY,
    apply: (model) => {
      const match = (node: Node, graph: GraphView): Edit | undefined =>
        matchLstm(node, graph, { weightBits, weightRange, onLayer });
      const result = rewriteGraph(model.graph, [{ name: 'lstm', operators: ['LSTM'], match }]);
      if (result.edits > 0) model.opsets.set(CONTRIB, 1);
      return result;
    },
  });
}

type Settings = Required<Omit<QuantizeLstmsOptions, 'onLayer'>> & {
  onLayer: QuantizeLstmsOptions['onLayer'];
};

function matchLstm(node: Node, graph: GraphView, settings: Settings): Edit | undefined {
  const [x = '', w = '', r = '', bias = '', lengths = '', h = '', c = '', peepholes = ''] = node.inputs;
  const [weight, recurrence] = [w, r].map((name) => graph.constant(name));
  if (!weight || !recurrence || !isFloat32(weight) || !isFloat32(recurrence) || peepholes !== '')
    return undefined;
  const initializers = new Map<string, Tensor>();
  const quantized = [
    quantizeWeight(node, graph, w, weight, settings, initializers),
    quantizeWeight(node, graph, r, recurrence, settings, initializers),
  ] as const;
  const [input, state] = quantized;
  if (input === undefined || state === undefined) return undefined;
  return {
    reason: `weights in ${settings.weightBits} bits`,
    remove: [node],
    add: [
      {
        ...node,
        opType: 'DynamicQuantizeLSTM',
        domain: CONTRIB,
        inputs: [
          x,
          input.values,
          state.values,
          bias,
          lengths,
          h,
          c,
          '',
          input.scale,
          input.zero,
          state.scale,
          state.zero,
        ],
      },
    ],
    initializers,
  };
}

interface Names {
  readonly values: string;
  readonly scale: string;
  readonly zero: string;
}

/** [directions, 4·hidden, depth] to int8 [directions, depth, 4·hidden] with a scale for each column. */
function quantizeWeight(
  node: Node,
  graph: GraphView,
  name: string,
  tensor: Float32Tensor,
  { weightBits: bits, weightRange: range, onLayer }: Settings,
  initializers: Map<string, Tensor>,
): Names | undefined {
  const [directions = 1, columns = 0, depth = 0] = tensor.dims;
  const values = new Int8Array(directions * columns * depth);
  const scales = new Float32Array(directions * columns);
  for (let index = 0; index < directions; index++) {
    const result = quantizeColumns(turned(tensor, index), { bits, range });
    if (Number.isNaN(result.error.sqnrDb)) return undefined;
    values.set(result.values, index * columns * depth);
    scales.set(result.scale, index * columns);
    const layer = node.name === '' ? (node.outputs.find((output) => output !== '') ?? '') : node.name;
    const method = `per channel, ${range}`;
    onLayer?.({
      layer,
      operator: 'LSTM',
      weight: name,
      bits,
      method,
      activations: 'dynamic',
      ...result.error,
    });
  }
  const add = (suffix: string, made: Tensor): string => {
    const fresh = graph.freshName(`${name}_${suffix}`);
    initializers.set(fresh, made);
    return fresh;
  };
  return {
    values: add('quantized', denseTensor('int8', [directions, depth, columns], values)),
    scale: add('scale', float32Tensor([directions, columns], scales)),
    zero: add('zero', denseTensor('int8', [directions, columns], new Int8Array(scales.length))),
  };
}

/** One direction [columns, depth] as [depth, columns]. */
function turned({ dims, ...tensor }: Float32Tensor, index: number): Float32Tensor {
  const [, columns = 0, depth = 0] = dims;
  const from = typedData({ ...tensor, dims }).subarray(
    index * columns * depth,
    (index + 1) * columns * depth,
  );
  const out = new Float32Array(from.length);
  for (let column = 0; column < columns; column++)
    for (let row = 0; row < depth; row++) out[row * columns + column] = from[column * depth + row]!;
  return denseTensor('float32', [depth, columns], out);
}
