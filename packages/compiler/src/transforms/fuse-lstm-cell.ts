import {
  float32Tensor,
  int64Tensor,
  typedData,
  type Float32Tensor,
  type Node,
  type Tensor,
} from '../ir/index.ts';
import type { Edit, GraphView, Transform } from '../rewrite/index.ts';
import { float32Constant, rowConstant } from './constants.ts';
import { isEdgewise, isStandard } from './edgewise-node.ts';
import { attributes, intAttribute, stringAttribute } from './node-attributes.ts';
import { FLOAT32_REORDERING, ruleTransform, type RuleContext } from './rule-transform.ts';

/**
 * Writes one step of a long short-term memory that is spelled out (Keras' cells: one Split of x·W + h·U + b into the gates
 * i, f, g, o) as the LSTM of ai.onnx with a sequence of one. After `fuseLinear`.
 */
export function fuseLstmCell(): Transform {
  return ruleTransform({
    name: 'fuseLstmCell',
    description: 'LSTM cell spelled out → LSTM',
    tolerance: FLOAT32_REORDERING,
    rules: (context) => [
      { name: 'cell', operators: ['Mul'], match: (node, graph) => matchCell(node, graph, context) },
    ],
  });
}

const GATES = 4;
/** Where ONNX's gates i, o, f, c are among Keras' i, f, g, o. */
const KERAS_GATES = [0, 3, 1, 2];

interface Cell {
  /** Value that is split into the gates. */
  readonly gates: string;
  /** The state before, [batch, hidden], and the node that makes the one after. */
  readonly cell: string;
  readonly next: Node;
}

interface Product {
  readonly x: string;
  /** [inputs, 4·hidden]. */
  readonly weight: Float32Tensor;
}

/** h = o · tanh(c'). */
function matchCell(node: Node, graph: GraphView, { typeOf }: RuleContext): Edit | undefined {
  const found = matchGates(node, graph);
  const hidden = typeOf(found?.cell ?? '')?.shape?.[1];
  if (found === undefined || typeof hidden !== 'number') return undefined;
  const terms = addendsOf(found.gates, graph);
  const products = terms.flatMap((term) => productOf(term, graph, GATES * hidden) ?? []);
  const biases = terms.flatMap((term) => biasOf(term, graph, GATES * hidden) ?? []);
  const recurrent = products.find(({ weight }) => weight.dims[0] === hidden);
  const input = products.find((product) => product !== recurrent);
  const isAll = terms.every((term) => isEdgewise(graph.producer(term), 'Linear') || graph.constant(term));
  if (!recurrent || !input || products.length !== 2 || !isAll) return undefined;
  return cellEdit(node, graph, found, { input, recurrent, biases, hidden });
}

function cellEdit(
  node: Node,
  graph: GraphView,
  { cell, next }: Cell,
  parts: {
    readonly input: Product;
    readonly recurrent: Product;
    readonly biases: readonly Float32Tensor[];
    readonly hidden: number;
  },
): Edit {
  const { input, recurrent, biases, hidden } = parts;
  const [h = ''] = node.outputs;
  const [c = ''] = next.outputs;
  const name = (suffix: string): string => graph.freshName(`${h}.${suffix}`);
  const [x, h0, c0, hLast, cLast] = ['x', 'h0', 'c0', 'h', 'c'].map(name) as [
    string,
    string,
    string,
    string,
    string,
  ];
  const [w, r, b, axis] = ['W', 'R', 'B', 'axis'].map(name) as [string, string, string, string];
  const plain = { name: '', domain: '', attributes: new Map() };
  const reshape = (opType: string, from: string, to: string): Node => {
    return { ...plain, opType, inputs: [from, axis], outputs: [to] };
  };
  const bias = new Float32Array(2 * GATES * hidden);
  for (const tensor of biases) gateRows(tensor, 1, hidden).forEach((value, i) => (bias[i]! += value));
  const direction = [1, GATES * hidden];
  return {
    reason: `a cell of ${hidden}`,
    remove: [node, next],
    add: [
      reshape('Unsqueeze', input.x, x),
      reshape('Unsqueeze', recurrent.x, h0),
      reshape('Unsqueeze', cell, c0),
      {
        name: node.name,
        opType: 'LSTM',
        domain: '',
        inputs: [x, w, r, b, '', h0, c0],
        outputs: ['', hLast, cLast],
        attributes: attributes({ hidden_size: BigInt(hidden) }),
      },
      reshape('Squeeze', hLast, h),
      reshape('Squeeze', cLast, c),
    ],
    initializers: new Map<string, Tensor>([
      [
        w,
        float32Tensor(
          [...direction, input.weight.dims[0]!],
          gateRows(input.weight, input.weight.dims[0]!, hidden),
        ),
      ],
      [r, float32Tensor([...direction, hidden], gateRows(recurrent.weight, hidden, hidden))],
      [b, float32Tensor([1, bias.length], bias)],
      [axis, int64Tensor([1], [0])],
    ]),
  };
}

/** [rows, 4·hidden] in Keras' order to ONNX's [4·hidden, rows]. */
function gateRows(tensor: Float32Tensor, rows: number, hidden: number): Float32Array {
  const values = typedData(tensor);
  const out = new Float32Array(values.length);
  KERAS_GATES.forEach((from, gate) => {
    for (let unit = 0; unit < hidden; unit++)
      for (let row = 0; row < rows; row++)
        out[(gate * hidden + unit) * rows + row] = values[row * GATES * hidden + from * hidden + unit]!;
  });
  return out;
}

/** h = σ(o)·tanh(c'), c' = σ(f)·c + σ(i)·tanh(g) with i, f, g, o the parts of one Split. */
function matchGates(node: Node, graph: GraphView): Cell | undefined {
  for (const [output = '', squashed = ''] of eitherWay(node)) {
    const tanh = graph.producer(squashed);
    const next = isStandard(tanh, 'Tanh') ? graph.producer(tanh.inputs[0] ?? '') : undefined;
    if (!isStandard(next, 'Add')) continue;
    for (const [kept = '', added = ''] of eitherWay(next)) {
      const keep = graph.producer(kept);
      const add = graph.producer(added);
      if (!isStandard(keep, 'Mul') || !isStandard(add, 'Mul')) continue;
      for (const [forget = '', cell = ''] of eitherWay(keep)) {
        for (const [input = '', candidate = ''] of eitherWay(add)) {
          const gates = [
            gateOf('Sigmoid', input, graph),
            gateOf('Sigmoid', forget, graph),
            gateOf('Tanh', candidate, graph),
            gateOf('Sigmoid', output, graph),
          ];
          const split = gates[0]?.split;
          const isCell = gates.every((gate, index) => gate?.split === split && gate?.slot === index);
          if (split && isCell) return { gates: split.inputs[0] ?? '', cell, next };
        }
      }
    }
  }
  return undefined;
}

/** Which part of a Split into four along the last of two axes an activation is applied to. */
function gateOf(
  activation: string,
  value: string,
  graph: GraphView,
): { split: Node; slot: number } | undefined {
  const node = graph.producer(value);
  const [part = ''] = isStandard(node, activation) ? node.inputs : [];
  const split = graph.producer(part);
  if (!isStandard(split, 'Split') || split.outputs.length !== GATES) return undefined;
  // Equal parts: with a list of lengths there would be a second input.
  if (split.inputs.length !== 1 || ![1, -1].includes(intAttribute(split, 'axis', 0))) return undefined;
  return { split, slot: split.outputs.indexOf(part) };
}

/** The values that a tree of additions sums. */
function addendsOf(value: string, graph: GraphView): string[] {
  const node = graph.producer(value);
  return isStandard(node, 'Add') ? node.inputs.flatMap((input) => addendsOf(input, graph)) : [value];
}

function productOf(value: string, graph: GraphView, columns: number): Product | undefined {
  const node = graph.producer(value);
  if (!isEdgewise(node, 'Linear') || stringAttribute(node, 'activation', 'none') !== 'none') return undefined;
  const weight = float32Constant(graph, node.inputs[1]);
  return weight?.dims[1] === columns ? { x: node.inputs[0] ?? '', weight } : undefined;
}

/** A constant addend, or the bias of a product. */
function biasOf(value: string, graph: GraphView, columns: number): Float32Tensor | undefined {
  const node = graph.producer(value);
  return rowConstant(graph, isEdgewise(node, 'Linear') ? node.inputs[2] : value, columns);
}

function eitherWay(node: Node): readonly (readonly string[])[] {
  return [node.inputs, node.inputs.toReversed()];
}
