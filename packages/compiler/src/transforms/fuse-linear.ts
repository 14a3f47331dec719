import { float32Tensor, typedData, type Float32Tensor, type Node, type Tensor } from '../ir/index.ts';
import type { Edit, GraphView, Transform } from '../rewrite/index.ts';
import { asFloat32, float32Constant, rowConstant } from './constants.ts';
import { edgewiseNode, isEdgewise, isStandard } from './edgewise-node.ts';
import { floatAttribute, intAttribute, stringAttribute } from './node-attributes.ts';
import { plainProducer, siluRule } from './fused-activation.ts';
import { FLOAT32_REORDERING, ruleTransform, type RuleContext } from './rule-transform.ts';

/**
 * Turns matrix products with constant float32 weights into `edgewise.Linear` (weight [K,N]), takes a bias that is added
 * afterwards and an activation that is the only consumer: MatMul, MatMul + Add, Gemm (with `transB`, `alpha`, `beta`),
 * then Relu, Tanh, Sigmoid, x·Sigmoid(x) and `edgewise.Gelu`.
 */
export function fuseLinear(): Transform {
  return ruleTransform({
    name: 'fuseLinear',
    description: 'matrix product with constant weights + bias + activation → Linear',
    tolerance: FLOAT32_REORDERING,
    rules: ({ typeOf }) => [
      { name: 'MatMul', operators: ['MatMul'], match: matchMatMul },
      { name: 'Gemm', operators: ['Gemm'], match: matchGemm },
      { name: 'bias', operators: ['Add'], match: (node, graph) => matchBias(node, graph, typeOf) },
      { name: 'activation', operators: [...ACTIVATIONS.keys(), 'edgewise.Gelu'], match: matchActivation },
      siluRule('Linear', withActivation),
      { name: 'rows', operators: ['Reshape'], match: (node, graph) => matchRows(node, graph, typeOf) },
    ],
  });
}

const ACTIVATIONS: ReadonlyMap<string, string> = new Map([
  ['Relu', 'relu'],
  ['Tanh', 'tanh'],
  ['Sigmoid', 'sigmoid'],
]);

function matchMatMul(node: Node, graph: GraphView): Edit | undefined {
  const [x = '', weight = ''] = node.inputs;
  const tensor = float32Constant(graph, weight);
  if (tensor?.dims.length !== 2 || graph.constant(x) !== undefined) return undefined;
  return {
    reason: `MatMul with constant weight ${weight}`,
    remove: [node],
    add: [edgewiseNode('Linear', node, [x, weight], node.outputs, { activation: 'none' })],
  };
}

function matchGemm(node: Node, graph: GraphView): Edit | undefined {
  const [x = '', weight = '', bias = ''] = node.inputs;
  const tensor = float32Constant(graph, weight);
  if (tensor?.dims.length !== 2 || graph.constant(x) !== undefined) return undefined;
  if (intAttribute(node, 'transA', 0) !== 0) return undefined;
  const transposed = intAttribute(node, 'transB', 0) !== 0;
  const width = tensor.dims[transposed ? 0 : 1] ?? 0;
  const row = bias === '' ? undefined : rowConstant(graph, bias, width);
  if (bias !== '' && row === undefined) return undefined;

  const initializers = new Map<string, Tensor>();
  const named = (name: string, old: Tensor | undefined, tensor: Tensor): string => {
    if (tensor === old) return name;
    const fresh = graph.freshName(`${name}.linear`);
    initializers.set(fresh, tensor);
    return fresh;
  };
  const matrix = scaled(transposed ? transpose(tensor) : tensor, floatAttribute(node, 'alpha', 1));
  const inputs = [x, named(weight, tensor, matrix)];
  if (row !== undefined)
    inputs.push(named(bias, graph.constant(bias), scaled(row, floatAttribute(node, 'beta', 1))));
  return {
    reason: `Gemm with constant weight ${weight}`,
    remove: [node],
    add: [edgewiseNode('Linear', node, inputs, node.outputs, { activation: 'none' })],
    initializers,
  };
}

function matchBias(node: Node, graph: GraphView, typeOf: RuleContext['typeOf']): Edit | undefined {
  for (const [x = '', bias = ''] of [node.inputs, node.inputs.toReversed()]) {
    const linear = plainProducer('Linear', x, graph);
    if (linear === undefined || (linear.inputs[2] ?? '') !== '') continue;
    const width = float32Constant(graph, linear.inputs[1])?.dims[1] ?? 0;
    const row = rowConstant(graph, bias, width);
    const rank = graph.constant(bias)?.dims.length ?? 0;
    if (row === undefined || (rank > 1 && rank > (typeOf(x)?.shape?.length ?? 0))) continue;
    const isRow = row === graph.constant(bias);
    const name = isRow ? bias : graph.freshName(`${bias}.row`);
    return {
      reason: `bias ${bias}`,
      remove: [node],
      add: [{ ...linear, inputs: [...linear.inputs.slice(0, 2), name], outputs: node.outputs }],
      ...(!isRow && { initializers: new Map([[name, row]]) }),
    };
  }
  return undefined;
}

function matchActivation(node: Node, graph: GraphView): Edit | undefined {
  const linear = plainProducer('Linear', node.inputs[0] ?? '', graph);
  if (linear === undefined) return undefined;
  const activation = ACTIVATIONS.get(node.opType) ?? geluActivation(node);
  return {
    reason: `activation ${activation}`,
    remove: [node],
    add: [withActivation(linear, node, activation)],
  };
}

function geluActivation(node: Node): string {
  return stringAttribute(node, 'approximate', 'none') === 'tanh' ? 'gelu_tanh' : 'gelu';
}

/** Reshape(Linear(Reshape(x))) where only leading dims were folded: exporters for which a product has rank 2. */
function matchRows(node: Node, graph: GraphView, typeOf: RuleContext['typeOf']): Edit | undefined {
  const linear = graph.producer(node.inputs[0] ?? '');
  if (!isEdgewise(linear, 'Linear') || graph.useCount(node.inputs[0] ?? '') !== 1) return undefined;
  const fold = graph.producer(linear.inputs[0] ?? '');
  if (!isStandard(fold, 'Reshape')) return undefined;
  const [x = ''] = fold.inputs;
  const weight = float32Constant(graph, linear.inputs[1]);
  const [before, after] = [typeOf(x)?.shape, typeOf(node.outputs[0] ?? '')?.shape];
  if (weight === undefined || before === undefined || after === undefined) return undefined;
  const isKept = before.slice(0, -1).every((dim, axis) => dim !== null && dim === after[axis]);
  if (before.length !== after.length || !isKept) return undefined;
  if (before.at(-1) !== weight.dims[0] || after.at(-1) !== weight.dims[1]) return undefined;
  return {
    reason: 'leading dims folded for the product',
    remove: [node],
    add: [{ ...linear, inputs: [x, ...linear.inputs.slice(1)], outputs: node.outputs }],
  };
}

function withActivation(linear: Node, last: Node, activation: string): Node {
  return edgewiseNode('Linear', linear, linear.inputs, last.outputs, { activation });
}

function transpose(tensor: Float32Tensor): Float32Tensor {
  const [rows = 0, columns = 0] = tensor.dims;
  const from = typedData(tensor);
  const to = new Float32Array(rows * columns);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) to[c * rows + r] = from[r * columns + c] ?? 0;
  return asFloat32(float32Tensor([columns, rows], to));
}

function scaled(tensor: Float32Tensor, factor: number): Float32Tensor {
  if (factor === 1) return tensor;
  return asFloat32(
    float32Tensor(
      tensor.dims,
      typedData(tensor).map((value) => value * factor),
    ),
  );
}
