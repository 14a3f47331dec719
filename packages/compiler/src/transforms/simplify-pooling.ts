import { int64Tensor, type Node, type Shape } from '../ir/index.ts';
import type { Edit, GraphView, Transform } from '../rewrite/index.ts';
import { numbersConstant } from './constants.ts';
import { attributes, intAttribute, intsAttribute } from './node-attributes.ts';
import { FLOAT32_REORDERING, ruleTransform, type RuleContext } from './rule-transform.ts';

/**
 * Writes poolings over whole maps as GlobalAveragePool or GlobalMaxPool: ReduceMean and ReduceMax over the spatial axes (with
 * a Reshape to [N, C] where they drop them), AveragePool and MaxPool whose window is the map. Expects opset 18's spelling.
 */
export function simplifyPooling(): Transform {
  return ruleTransform({
    name: 'simplifyPooling',
    description: 'means and windows over whole maps → global pooling',
    tolerance: FLOAT32_REORDERING,
    rules: (context) => [
      {
        name: 'reduction',
        operators: ['ReduceMean', 'ReduceMax'],
        match: (node, graph) => matchReduction(node, graph, context),
      },
      {
        name: 'window',
        operators: ['AveragePool', 'MaxPool'],
        match: (node) => matchWindow(node, context),
      },
    ],
  });
}

const GLOBAL: Readonly<Record<string, string>> = {
  ReduceMean: 'GlobalAveragePool',
  AveragePool: 'GlobalAveragePool',
  ReduceMax: 'GlobalMaxPool',
  MaxPool: 'GlobalMaxPool',
};

function matchReduction(node: Node, graph: GraphView, { typeOf }: RuleContext): Edit | undefined {
  const [x = '', axes = ''] = node.inputs;
  const [output = ''] = node.outputs;
  const rank = typeOf(x)?.shape?.length;
  const given = intsAttribute(node, 'axes') ?? numbersConstant(graph, axes, 4);
  // The mean over the last axis of rank 3 is a part of LayerNorm more often than a pooling.
  if (rank === undefined || rank < 4 || given === undefined) return undefined;
  const positions = given.map((axis) => (axis < 0 ? axis + rank : axis)).toSorted((a, b) => a - b);
  if (positions.join() !== Array.from({ length: rank - 2 }, (_, i) => i + 2).join()) return undefined;
  const opType = GLOBAL[node.opType] ?? '';
  if (intAttribute(node, 'keepdims', 1) !== 0)
    return { reason: 'over all spatial axes', remove: [node], add: [pool(opType, x, output, node.name)] };
  const [pooled, target] = [graph.freshName(`${output}.pooled`), graph.freshName(`${output}.shape`)];
  return {
    reason: 'over all spatial axes, which are dropped',
    remove: [node],
    add: [
      pool(opType, x, pooled, node.name),
      { ...pool('Reshape', pooled, output, ''), inputs: [pooled, target] },
    ],
    initializers: new Map([[target, int64Tensor([2], [0, -1])]]),
  };
}

function matchWindow(node: Node, { typeOf }: RuleContext): Edit | undefined {
  const [x = ''] = node.inputs;
  const [output = '', indices = ''] = node.outputs;
  const [before, after] = [typeOf(x)?.shape, typeOf(output)?.shape];
  if (indices !== '' || !isWholeMap(node, before) || !after?.slice(2).every((dim) => dim === 1))
    return undefined;
  return {
    reason: 'the window is the whole map',
    remove: [node],
    add: [pool(GLOBAL[node.opType] ?? '', x, output, node.name)],
  };
}

function isWholeMap(node: Node, shape: Shape | undefined): boolean {
  if (node.attributes.has('auto_pad') || intsAttribute(node, 'dilations')?.some((step) => step !== 1))
    return false;
  if (intsAttribute(node, 'pads')?.some((count) => count !== 0) === true) return false;
  const kernel = intsAttribute(node, 'kernel_shape');
  return kernel !== undefined && kernel.every((extent, axis) => extent === shape?.[axis + 2]);
}

function pool(opType: string, x: string, output: string, name: string): Node {
  return { name, opType, domain: '', inputs: [x], outputs: [output], attributes: attributes({}) };
}
