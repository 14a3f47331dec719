import type { Model } from '../../ir/index.ts';
import type { Transform } from '../../rewrite/index.ts';
import {
  compactConvNet,
  mergeInitializers,
  settleGraph,
  tabulateBytes,
  type CompactConvNetOptions,
} from '../../transforms/index.ts';
import { fuseQuantized } from './fuse-quantized.ts';
import { unsignedActivations } from './unsigned-activations.ts';

/**
 * Convolutional networks that are quantized already, with QuantizeLinear and DequantizeLinear around their operators or with quantized
 * operators (what onnxruntime's `quantize_static` and PyTorch's exporter write), to the quantized form of docs/architecture.md, section 4.
 * Weights and grids stay what they are; layers that cannot run on bytes become float.
 */
export function compactQuantizedNet(options: CompactConvNetOptions = {}): Transform[] {
  return [
    ...settleGraph(options),
    // Before compactConvNet, which would compute the weights that are dequantized.
    unsignedActivations(),
    fuseQuantized(),
    ...compactConvNet(options).filter(({ name }) => name !== UNWANTED),
    tabulateBytes(),
  ];
}

/** onnxruntime 1.30 does not load graphs in which some grids share a zero point ("Attempt to replace the existing tensor"). */
const UNWANTED: string = mergeInitializers().name;

const QUANTIZED: ReadonlySet<string> = new Set(['QuantizeLinear', 'QLinearConv', 'QLinearMatMul']);

/** Whether `compactQuantizedNet` is for the model. */
export function isQuantizedNet({ graph }: Model): boolean {
  return graph.nodes.some(({ opType }) => QUANTIZED.has(opType));
}
