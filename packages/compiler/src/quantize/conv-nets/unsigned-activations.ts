import { denseTensor, typedData, type Model, type Node, type Tensor } from '../../ir/index.ts';
import {
  defineTransform,
  LOSSLESS,
  operatorName,
  rewriteGraph,
  type Edit,
  type GraphView,
  type Rule,
  type Transform,
} from '../../rewrite/index.ts';

/**
 * Turns int8 activations of quantized graphs (onnxruntime's default for `quantize_static`) into uint8, which the engine and onnxruntime's
 * quickest kernels read: every value and its zero point 128 higher stand for the same numbers. Weights stay int8. Graphs in which an operator
 * with another meaning reads such a value are left alone.
 */
export function unsignedActivations(): Transform {
  return defineTransform({
    name: 'unsignedActivations',
    description: 'int8 activations → uint8, 128 higher',
    tolerance: LOSSLESS,
    apply: (model) => {
      const signed = signedActivations(model);
      if (signed.size === 0) return { edits: 0, diagnostics: [] };
      for (const value of signed) model.graph.valueInfo.delete(value);
      return rewriteGraph(model.graph, [ruleFor(new Set())]);
    },
  });
}

/** Slots of activations and of their zero points, by operator. */
interface ByteSlots {
  readonly data: readonly number[];
  readonly zeros: readonly number[];
}

const POOL: ByteSlots = { data: [0], zeros: [2, 4] };
const BINARY: ByteSlots = { data: [0, 3], zeros: [2, 5, 7] };
const SLOTS: Readonly<Record<string, ByteSlots>> = {
  QuantizeLinear: { data: [], zeros: [2] },
  DequantizeLinear: { data: [0], zeros: [2] },
  QLinearConv: { data: [0], zeros: [2, 7] },
  QLinearMatMul: { data: [0], zeros: [2, 7] },
  'com.microsoft.QGemm': { data: [0], zeros: [2, 8] },
  'com.microsoft.QLinearAdd': BINARY,
  'com.microsoft.QLinearMul': BINARY,
  'com.microsoft.QLinearAveragePool': POOL,
  'com.microsoft.QLinearGlobalAveragePool': POOL,
};

/** Operators that only move or compare their first input. */
const MOVES: ReadonlySet<string> = new Set([
  'MaxPool',
  'Slice',
  'Flatten',
  'Reshape',
  'Transpose',
  'Squeeze',
  'Unsqueeze',
  'Gather',
  'Split',
  'DepthToSpace',
  'Concat',
  'Identity',
]);

function slotsOf(node: Node): ByteSlots | undefined {
  const name = operatorName(node);
  if (name !== 'com.microsoft.QLinearConcat') return SLOTS[name];
  const parts = Array.from({ length: (node.inputs.length - 2) / 3 }, (_, part) => 2 + 3 * part);
  return { data: parts, zeros: [1, ...parts.map((slot) => slot + 2)] };
}

/** Values of int8 between operators; none when one of them goes where `SLOTS` and `MOVES` do not know what it means. */
function signedActivations({ graph }: Model): ReadonlySet<string> {
  const none = new Set<string>();
  const isInt8 = (name: string | undefined): boolean =>
    name !== undefined && graph.initializers.get(name)?.dtype === 'int8';
  const signed = new Set<string>();
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  for (const node of graph.nodes) {
    const slots = slotsOf(node);
    const reads = node.inputs.some((input) => signed.has(input));
    const isKnown = slots !== undefined || MOVES.has(operatorName(node));
    if (reads && !isKnown) return none;
    const isDequantized = operatorName(node) === 'DequantizeLinear';
    const makes = slots ? !isDequantized && isInt8(node.inputs[slots.zeros.at(-1)!]) : reads;
    if (!makes) continue;
    for (const output of node.outputs) {
      if (outputs.has(output)) return none;
      signed.add(output);
    }
  }
  return signed;
}

/** Replaces int8 zero points of activations, and constants among the activations. `turned` are the names of what is new. */
function ruleFor(turned: Set<string>): Rule {
  return {
    name: 'int8 activation',
    operators: [...Object.keys(SLOTS), 'com.microsoft.QLinearConcat'],
    match: (node, graph): Edit | undefined => {
      const slots = slotsOf(node);
      if (slots === undefined || isWeight(node, graph)) return undefined;
      const initializers = new Map<string, Tensor>();
      const inputs = [...node.inputs];
      for (const slot of [...slots.data, ...slots.zeros]) {
        const name = inputs[slot] ?? '';
        const tensor = name === '' ? undefined : graph.constant(name);
        if (tensor?.kind !== 'dense' || tensor.dtype !== 'int8') continue;
        inputs[slot] = `${name}.unsigned`;
        if (turned.has(inputs[slot])) continue;
        turned.add(inputs[slot]);
        const values = typedData({ ...tensor, dtype: 'int8' });
        initializers.set(
          inputs[slot],
          denseTensor(
            'uint8',
            tensor.dims,
            Uint8Array.from(values, (value) => value + 128),
          ),
        );
      }
      if (inputs.every((input, slot) => input === node.inputs[slot])) return undefined;
      return { reason: 'uint8 instead of int8', remove: [node], add: [{ ...node, inputs }], initializers };
    },
  };
}

/** Weights are dequantized constants that layers multiply by. */
const WEIGHTED: ReadonlySet<string> = new Set(['Conv', 'ConvTranspose', 'Gemm', 'MatMul']);

function isWeight(node: Node, graph: GraphView): boolean {
  if (node.opType !== 'DequantizeLinear' || graph.constant(node.inputs[0] ?? '') === undefined) return false;
  const [output = ''] = node.outputs;
  return graph
    .consumers(output)
    .every((next) => WEIGHTED.has(next.opType) && next.inputs.slice(1).includes(output));
}
