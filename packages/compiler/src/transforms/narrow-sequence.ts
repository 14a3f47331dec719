import { int64Tensor, type Node, type Tensor } from '../ir/index.ts';
import { operatorName, type Edit, type GraphView, type Transform } from '../rewrite/index.ts';
import { numberConstant } from './constants.ts';
import { isStandard } from './edgewise-node.ts';
import { attributes, intAttribute } from './node-attributes.ts';
import { FLOAT32_REORDERING, ruleTransform, type RuleContext } from './rule-transform.ts';

/**
 * Computes one row where only one is read: a classifier that takes the first token needs the last layer's keys and
 * values for all tokens, but its query, output projection and feed-forward part for that token only. `Gather(x, i,
 * axis=1)` moves up through row-wise operators and the query side of `edgewise.Attention`, as far as nothing else reads
 * the full rows; the sequence of Attention's q is then shorter than that of k and v.
 */
export function narrowSequence(): Transform {
  return ruleTransform({
    name: 'narrowSequence',
    description: 'compute only the rows that a later Gather reads',
    tolerance: FLOAT32_REORDERING,
    rules: (context) => {
      const narrowed = new Set<string>();
      return [
        {
          name: 'keep the axis',
          operators: ['Gather'],
          match: (node, graph) => keepAxis(node, graph, context, narrowed),
        },
        {
          name: 'move up',
          operators: ['Gather'],
          match: (node, graph) => moveUp(node, graph, context, narrowed),
        },
        { name: 'take once', operators: ['Gather'], match: takeOnce },
      ];
    },
  });
}

/** Which inputs have one row per output row; the others are weights, or keys and values. */
const ROW_INPUTS: Readonly<Record<string, number>> = {
  'edgewise.Linear': 1,
  'edgewise.Gelu': 1,
  'edgewise.LayerNorm': 1,
  'edgewise.AddLayerNorm': 2,
  'edgewise.Attention': 1,
  Relu: 1,
  Tanh: 1,
  Sigmoid: 1,
  Erf: 1,
};

/** A scalar index drops the axis: first take [B,1,H], which can move, then drop the axis from that. */
function keepAxis(
  node: Node,
  graph: GraphView,
  { typeOf }: RuleContext,
  narrowed: ReadonlySet<string>,
): Edit | undefined {
  const [data = '', index = ''] = node.inputs;
  const position = numberConstant(graph, index);
  if (graph.constant(index)?.dims.length !== 0 || position === undefined || !isRowGather(node))
    return undefined;
  if (narrowed.has(data) || typeOf(data)?.shape?.length !== 3 || typeOf(data)?.shape?.[1] === 1)
    return undefined;
  if (rowProducer(data, graph) === undefined || graph.useCount(data) !== 1) return undefined;
  const rows = graph.freshName(`${node.outputs[0]}.row`);
  const at = graph.freshName(`${index}.list`);
  const first = graph.freshName(`${index}.first`);
  return {
    reason: `row ${position} of ${data}`,
    remove: [node],
    add: [
      { ...node, name: '', inputs: [data, at], outputs: [rows] },
      { ...node, inputs: [rows, first] },
    ],
    initializers: new Map<string, Tensor>([
      [at, int64Tensor([1], [position])],
      [first, int64Tensor([], [0])],
    ]),
  };
}

/** Gather(op(x)) → op(Gather(x)), for all Gathers of that row at once. */
function moveUp(
  node: Node,
  graph: GraphView,
  { typeOf }: RuleContext,
  narrowed: Set<string>,
): Edit | undefined {
  const [data = '', index = ''] = node.inputs;
  if (graph.constant(index)?.dims.length !== 1 || !isRowGather(node)) return undefined;
  const position = numberConstant(graph, index);
  const producer = rowProducer(data, graph);
  if (position === undefined || producer === undefined || graph.isOutput(data)) return undefined;
  const readers = graph.consumers(data);
  if (!readers.every((reader) => readsSameRow(reader, node, graph))) return undefined;
  const rowInputs = producer.inputs.slice(0, ROW_INPUTS[operatorName(producer)]);
  if (!rowInputs.every((input) => typeOf(input)?.shape?.length === 3)) return undefined;

  const [row = ''] = node.outputs;
  const names = new Map(rowInputs.map((input) => [input, graph.freshName(`${input}.row`)]));
  const gathers = [...names].map(([input, name]): Node => ({
    name: '',
    opType: 'Gather',
    domain: '',
    inputs: [input, index],
    outputs: [name],
    attributes: attributes({ axis: 1n }),
  }));
  const inputs = producer.inputs.map((input, slot) =>
    slot < rowInputs.length ? (names.get(input) ?? input) : input,
  );
  narrowed.add(row);
  return {
    reason: `${operatorName(producer)} for row ${position} only`,
    remove: [...readers, producer],
    add: [...gathers, { ...producer, inputs, outputs: [row] }],
    replace: replacing(readers, node),
  };
}

/** The same row of the same value is taken once. */
function takeOnce(node: Node, graph: GraphView): Edit | undefined {
  const twins = graph
    .consumers(node.inputs[0] ?? '')
    .filter((reader) => reader !== node && readsSameRow(reader, node, graph));
  if (twins.length === 0) return undefined;
  return { reason: 'row taken already', remove: twins, replace: replacing(twins, node) };
}

function readsSameRow(reader: Node, node: Node, graph: GraphView): boolean {
  const [a = '', b = ''] = [reader.inputs[1], node.inputs[1]];
  return (
    isRowGather(reader) &&
    isRowGather(node) &&
    reader.inputs[0] === node.inputs[0] &&
    graph.constant(a)?.dims.join() === '1' &&
    graph.constant(b)?.dims.join() === '1' &&
    numberConstant(graph, a) === numberConstant(graph, b)
  );
}

/** Reads of the other nodes' outputs become reads of this node's. */
function replacing(nodes: readonly Node[], by: Node): Map<string, string> {
  const others = nodes.filter((node) => node !== by);
  return new Map(others.map((node) => [node.outputs[0] ?? '', by.outputs[0] ?? '']));
}

function isRowGather(node: Node): boolean {
  return isStandard(node, 'Gather') && intAttribute(node, 'axis', 0) === 1;
}

function rowProducer(value: string, graph: GraphView): Node | undefined {
  const producer = graph.producer(value);
  return producer === undefined || ROW_INPUTS[operatorName(producer)] === undefined ? undefined : producer;
}
