import { float32Tensor, int64Tensor, typedData, type Node, type Shape } from '../ir/index.ts';
import type { Edit, GraphView, Transform } from '../rewrite/index.ts';
import { float32Constant } from './constants.ts';
import { edgewiseNode, isEdgewise, isStandard } from './edgewise-node.ts';
import { attributes, intAttribute, intsAttribute, stringAttribute } from './node-attributes.ts';
import { FLOAT32_REORDERING, ruleTransform, type RuleContext } from './rule-transform.ts';

/**
 * Simplifies what lies between the last maps and a classifier: a chain of Flatten, Reshape, Squeeze and Unsqueeze becomes
 * one Reshape, [N, C, 1, 1] → [N, C] a Flatten, and a pointwise convolution of a map of one pixel that is flattened
 * afterwards a Linear. Needs fixed dimensions.
 */
export function simplifyHeads(): Transform {
  return ruleTransform({
    name: 'simplifyHeads',
    description: 'chains of reshapes → one; 1×1 convolution of one pixel → Linear',
    tolerance: FLOAT32_REORDERING,
    rules: (context) => [
      { name: 'chain', operators: RESHAPES, match: (node, graph) => matchChain(node, graph, context) },
      { name: 'flatten', operators: RESHAPES, match: (node) => matchFlatten(node, context) },
      {
        name: 'pointwise',
        operators: ['Flatten'],
        match: (node, graph) => matchPointwise(node, graph, context),
      },
    ],
  });
}

const RESHAPES = ['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze'];

function matchChain(node: Node, graph: GraphView, { typeOf }: RuleContext): Edit | undefined {
  const [value = ''] = node.inputs;
  const [output = ''] = node.outputs;
  const first = graph.producer(value);
  const shape = fixedShape(typeOf(output)?.shape);
  if (!isStandard(first, ...RESHAPES) || graph.useCount(value) !== 1 || shape === undefined) return undefined;
  const target = graph.freshName(`${output}.shape`);
  return {
    reason: `${first.opType} and ${node.opType}`,
    remove: [first, node],
    add: [{ ...node, opType: 'Reshape', inputs: [first.inputs[0] ?? '', target], attributes: new Map() }],
    initializers: new Map([[target, int64Tensor([shape.length], shape)]]),
  };
}

/** Any spelling of [N, C, …] → [N, C·…], as long as the batch keeps its place. */
function matchFlatten(node: Node, { typeOf }: RuleContext): Edit | undefined {
  const [x = ''] = node.inputs;
  const [before, after] = [fixedShape(typeOf(x)?.shape), fixedShape(typeOf(node.outputs[0] ?? '')?.shape)];
  if (node.opType === 'Flatten' || before === undefined || after?.length !== 2) return undefined;
  if (before.length < 3 || before[0] !== after[0]) return undefined;
  return {
    reason: 'to [N, C]',
    remove: [node],
    add: [{ ...node, opType: 'Flatten', inputs: [x], attributes: attributes({ axis: 1n }) }],
  };
}

function matchPointwise(node: Node, graph: GraphView, { typeOf }: RuleContext): Edit | undefined {
  const [value = ''] = node.inputs;
  const conv = graph.producer(value);
  if (!isEdgewise(conv, 'Conv') || graph.useCount(value) !== 1 || intAttribute(node, 'axis', 1) !== 1)
    return undefined;
  const [x = '', weightName = '', bias = ''] = conv.inputs;
  const shape = fixedShape(typeOf(x)?.shape);
  const weight = float32Constant(graph, weightName);
  const activation = stringAttribute(conv, 'activation', 'none');
  if (shape === undefined || weight === undefined || !LINEAR_ACTIVATIONS.has(activation)) return undefined;
  if (!shape.slice(2).every((extent) => extent === 1) || !isPlainPointwise(conv, weight.dims))
    return undefined;
  const [filters = 0, channels = 0] = weight.dims;
  const [flat, matrix] = [graph.freshName(`${x}.flat`), graph.freshName(`${weightName}.linear`)];
  return {
    reason: `pointwise convolution ${conv.name || value} of one pixel`,
    remove: [conv, node],
    add: [
      { ...node, inputs: [x], outputs: [flat] },
      edgewiseNode('Linear', conv, bias === '' ? [flat, matrix] : [flat, matrix, bias], node.outputs, {
        activation,
      }),
    ],
    initializers: new Map([
      [matrix, float32Tensor([channels, filters], transposed(typedData(weight), filters, channels))],
    ]),
  };
}

const LINEAR_ACTIVATIONS: ReadonlySet<string> = new Set(['none', 'relu', 'tanh', 'sigmoid', 'silu']);

function isPlainPointwise(conv: Node, weightDims: readonly number[]): boolean {
  const hasPads = intsAttribute(conv, 'pads')?.some((count) => count !== 0) === true;
  return (
    !hasPads && intAttribute(conv, 'group', 1) === 1 && weightDims.slice(2).every((extent) => extent === 1)
  );
}

function transposed(from: Float32Array, rows: number, columns: number): Float32Array {
  const to = new Float32Array(from.length);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) to[c * rows + r] = from[r * columns + c] ?? 0;
  return to;
}

function fixedShape(shape: Shape | undefined): number[] | undefined {
  const numbers = shape?.filter((dim) => typeof dim === 'number');
  return numbers?.length === shape?.length ? numbers : undefined;
}
