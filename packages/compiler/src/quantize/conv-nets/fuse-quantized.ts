import { typedData, type Attribute, type Model, type Node, type Tensor } from '../../ir/index.ts';
import {
  defineTransform,
  operatorName,
  rewriteGraph,
  type Edit,
  type GraphView,
  type Rule,
  type Transform,
  type TransformResult,
} from '../../rewrite/index.ts';
import { numberConstant } from '../../transforms/constants.ts';
import { isEdgewise, isStandard } from '../../transforms/edgewise-node.ts';
import { attributes, floatAttribute, stringAttribute } from '../../transforms/node-attributes.ts';
import { LOSSY } from '../lossy.ts';
import { isClamp, quantizedKind } from './quantized-operators.ts';

const MICROSOFT = 'com.microsoft';

/**
 * Turns graphs whose operators stand between DequantizeLinear and QuantizeLinear (what onnxruntime's `quantize_static` and PyTorch's
 * exporter write) into ONNX's operator-oriented form, as onnxruntime does when it loads them: QLinearConv, QGemm, QLinearAdd, …,
 * and operators that only move values on the 8-bit values themselves. Activations in the range of an output are dropped.
 */
export function fuseQuantized(): Transform {
  return defineTransform({
    name: 'fuseQuantized',
    description: 'DequantizeLinear → operator → QuantizeLinear → one quantized operator',
    // A rounding of sums that falls on a half differs by one step.
    tolerance: LOSSY,
    apply: applyQuantizedRules,
  });
}

/** The rules of `fuseQuantized` on a model that is edited in place. */
export function applyQuantizedRules(model: Model): TransformResult {
  const { edits, diagnostics } = rewriteGraph(model.graph, [QUANTIZED_OUTPUT, SPLIT, FLOAT_OUTPUT]);
  if (model.graph.nodes.some(({ domain }) => domain === MICROSOFT)) model.opsets.set(MICROSOFT, 1);
  return { edits, diagnostics };
}

/** An 8-bit value or constant with its grid: names of data, scale and zero point. */
type Grid = readonly [data: string, scale: string, zero: string];

const QUANTIZED_OUTPUT: Rule = {
  name: 'quantized output',
  operators: ['QuantizeLinear'],
  match: (quantize, graph) => {
    const [value = '', scale = '', zero = ''] = quantize.inputs;
    const last = graph.producer(value);
    if (last === undefined || zero === '' || graph.useCount(value) !== 1) return undefined;
    const y = { scale, zero, output: quantize.outputs[0] ?? '' };
    const below =
      isClamp(last) && clampHolds(last, y, graph) ? graph.producer(last.inputs[0] ?? '') : undefined;
    const isFused = below !== undefined && graph.useCount(last.inputs[0] ?? '') === 1;
    const node = isFused ? below : last;
    const built = quantizedNode(node, y, graph);
    if (built === undefined) return undefined;
    return {
      reason: `${node.opType} on 8-bit values`,
      remove: isFused ? [node, last, quantize] : [node, quantize],
      add: [built],
    };
  },
};

/** Split has several outputs; it moves bytes when all of them are quantized on the grid of its input. */
const SPLIT: Rule = {
  name: 'split',
  operators: ['Split'],
  match: (split, graph) => {
    const x = gridOf(split.inputs[0], graph);
    if (x === undefined) return undefined;
    const quantizers = split.outputs.map((output) => {
      const [only] = graph.consumers(output);
      return graph.useCount(output) === 1 && isStandard(only, 'QuantizeLinear') ? only : undefined;
    });
    const found = quantizers.filter((node) => node !== undefined);
    const isOnGrid = found.every(
      ({ inputs: [, scale = '', zero = ''] }) => isSame(x[1], scale, graph) && isSame(x[2], zero, graph),
    );
    if (found.length < quantizers.length || !isOnGrid) return undefined;
    return {
      reason: 'Split of 8-bit values',
      remove: [split, ...found],
      add: [
        {
          ...split,
          inputs: [x[0], ...split.inputs.slice(1)],
          outputs: found.map(({ outputs }) => outputs[0] ?? ''),
        },
      ],
    };
  },
};

interface OutputGrid {
  readonly scale: string;
  readonly zero: string;
  readonly output: string;
}

function quantizedNode(node: Node, y: OutputGrid, graph: GraphView): Node | undefined {
  const grids = node.inputs.map((input) => gridOf(input, graph));
  const known = grids.filter((grid) => grid !== undefined);
  switch (operatorName(node)) {
    case 'Conv':
    case 'edgewise.Conv':
      return quantizedConv(node, y, graph);
    case 'Gemm':
    case 'MatMul':
    case 'edgewise.Linear':
      return quantizedProduct(node, y, graph);
    case 'Add':
    case 'Mul':
    case 'GlobalAveragePool':
    case 'AveragePool':
      if (known.length < grids.length) return undefined;
      return contrib(`QLinear${node.opType}`, node, [...known.flat(), y.scale, y.zero], y.output);
    case 'Concat':
      if (known.length < grids.length) return undefined;
      return contrib('QLinearConcat', node, [y.scale, y.zero, ...known.flat()], y.output);
    default:
      return quantizedKind(node, graph) === 'same' ? movedNode(node, y, graph) : undefined;
  }
}

function quantizedConv(conv: Node, y: OutputGrid, graph: GraphView): Node | undefined {
  const [x, weight] = [gridOf(conv.inputs[0], graph), gridOf(conv.inputs[1], graph)];
  const bias = biasOf(conv.inputs[2], graph);
  if (!x || !weight || bias === undefined || graph.constant(weight[0]) === undefined) return undefined;
  if (isEdgewise(conv, 'Conv') && !activationHolds(conv, y, graph)) return undefined;
  const inputs = [...x, ...weight, y.scale, y.zero, ...(bias === '' ? [] : [bias])];
  const window = [...conv.attributes].filter(([name]) => !ACTIVATION_ATTRIBUTES.has(name));
  return {
    ...conv,
    opType: 'QLinearConv',
    domain: '',
    inputs,
    outputs: [y.output],
    attributes: new Map(window),
  };
}

const ACTIVATION_ATTRIBUTES: ReadonlySet<string> = new Set(['activation', 'min', 'max', 'alpha', 'beta']);

/** QGemm of com.microsoft; without `y` its output is float. */
function quantizedProduct(node: Node, y: OutputGrid | undefined, graph: GraphView): Node | undefined {
  const [x, weight] = [gridOf(node.inputs[0], graph), gridOf(node.inputs[1], graph)];
  const bias = biasOf(node.inputs[2], graph);
  if (!x || !weight || bias === undefined || graph.constant(weight[0])?.dims.length !== 2) return undefined;
  if (isEdgewise(node, 'Linear') && stringAttribute(node, 'activation', 'none') !== 'none') {
    if (y === undefined || !activationHolds(node, y, graph)) return undefined;
  }
  const kept = [...node.attributes].filter(
    ([name]) => name === 'transB' || name === 'transA' || name === 'alpha',
  );
  const inputs = [...x, ...weight, bias, ...(y === undefined ? [] : [y.scale, y.zero])];
  while (inputs.at(-1) === '') inputs.pop();
  const output = y?.output ?? node.outputs[0] ?? '';
  return {
    ...node,
    opType: 'QGemm',
    domain: MICROSOFT,
    inputs,
    outputs: [output],
    attributes: new Map(kept),
  };
}

const FLOAT_OUTPUT: Rule = {
  name: 'float output',
  operators: ['Gemm', 'edgewise.Linear'],
  match: (node, graph) => {
    const [output = ''] = node.outputs;
    // Its QuantizeLinear, alone or behind a clamp, takes it.
    if (
      graph.useCount(output) === 1 &&
      graph.consumers(output).some((next) => isStandard(next, 'QuantizeLinear') || isClamp(next))
    )
      return undefined;
    const built = quantizedProduct(node, undefined, graph);
    return (
      built && ({ reason: `${node.opType} with float output`, remove: [node], add: [built] } satisfies Edit)
    );
  },
};

/** An operator that moves values, on the same grid before and after. */
function movedNode(node: Node, y: OutputGrid, graph: GraphView): Node | undefined {
  const x = gridOf(node.inputs[0], graph);
  if (x === undefined || node.outputs.length !== 1) return undefined;
  if (!isSame(x[1], y.scale, graph) || !isSame(x[2], y.zero, graph)) return undefined;
  const inputs = [x[0], ...node.inputs.slice(1)];
  // Zeros are padded as the byte that stands for 0.
  if (node.opType === 'Pad') inputs.splice(2, 1, x[2]);
  return { ...node, inputs, outputs: [y.output] };
}

/** What a DequantizeLinear reads. */
function gridOf(value: string | undefined, graph: GraphView): Grid | undefined {
  const node = graph.producer(value ?? '');
  if (!isStandard(node, 'DequantizeLinear')) return undefined;
  const [data = '', scale = '', zero = ''] = node.inputs;
  return zero === '' ? undefined : [data, scale, zero];
}

/** The int32 constant behind a dequantized bias; '' for none, undefined where the bias is anything else. */
function biasOf(value: string | undefined, graph: GraphView): string | undefined {
  if (value === undefined || value === '') return '';
  const node = graph.producer(value);
  const [data = ''] = isStandard(node, 'DequantizeLinear') ? node.inputs : [];
  const tensor = graph.constant(data);
  return tensor?.dtype === 'int32' ? data : undefined;
}

function isSame(a: string, b: string, graph: GraphView): boolean {
  if (a === b) return true;
  const [x, y] = [numberConstant(graph, a), numberConstant(graph, b)];
  return x !== undefined && x === y;
}

function clampHolds(clamp: Node, y: OutputGrid, graph: GraphView): boolean {
  if (clamp.opType === 'Relu') return gridWithin(y, 0, Infinity, graph);
  const limit = (input: string | undefined, open: number): number =>
    input === undefined || input === '' ? open : (numberConstant(graph, input) ?? NaN);
  return gridWithin(y, limit(clamp.inputs[1], -Infinity), limit(clamp.inputs[2], Infinity), graph);
}

function activationHolds(node: Node, y: OutputGrid, graph: GraphView): boolean {
  switch (stringAttribute(node, 'activation', 'none')) {
    case 'none':
      return true;
    case 'relu':
      return gridWithin(y, 0, Infinity, graph);
    case 'clip':
      return gridWithin(y, floatAttribute(node, 'min', NaN), floatAttribute(node, 'max', NaN), graph);
    default:
      return false;
  }
}

/** Whether saturation to the grid is saturation to [low, high], to half a step. */
function gridWithin({ scale, zero }: OutputGrid, low: number, high: number, graph: GraphView): boolean {
  const step = numberConstant(graph, scale);
  const tensor: Tensor | undefined = graph.constant(zero);
  if (step === undefined || tensor?.kind !== 'dense') return false;
  const isSigned = tensor.dtype === 'int8';
  if (!isSigned && tensor.dtype !== 'uint8') return false;
  const offset = isSigned
    ? typedData({ ...tensor, dtype: 'int8' })[0]! + 128
    : typedData({ ...tensor, dtype: 'uint8' })[0]!;
  return -offset * step >= low - step / 2 && (255 - offset) * step <= high + step / 2;
}

function contrib(opType: string, node: Node, inputs: readonly string[], output: string): Node {
  const kept: (readonly [string, Attribute])[] = [...node.attributes];
  const layout = opType.endsWith('Pool') ? attributes({ channels_last: 0n }) : [];
  return {
    ...node,
    opType,
    domain: MICROSOFT,
    inputs,
    outputs: [output],
    attributes: new Map([...kept, ...layout]),
  };
}
