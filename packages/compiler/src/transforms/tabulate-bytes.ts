import { denseTensor, elementCount, type Model, type Node, type Tensor } from '../ir/index.ts';
import { evaluateModel, findOperator, opsetVersion } from '../ops/index.ts';
import { operatorName, type Edit, type GraphView, type Transform } from '../rewrite/index.ts';
import { edgewiseNode } from './edgewise-node.ts';
import { ruleTransform } from './rule-transform.ts';

/** What one step of the output's grid explains: the table is made in double precision, a runtime may compute in float32. */
const ONE_STEP = { absolute: 1, relative: 0 };

/**
 * Turns the element-wise operators between one DequantizeLinear and a QuantizeLinear (uint8, one scale each) into
 * `edgewise.MapBytes`: a byte has 256 values, so any function of it is a table. For engines that run bytes; onnxruntime
 * fuses such patterns by itself, or not.
 *
 * ```ts
 * const { model } = await runPasses(quantized, [tabulateBytes()]);
 * ```
 */
export function tabulateBytes(): Transform {
  return ruleTransform({
    name: 'tabulateBytes',
    description: 'DequantizeLinear → element-wise operators → QuantizeLinear → a table of 256 bytes',
    tolerance: ONE_STEP,
    rules: ({ model }) => [
      {
        name: 'table',
        operators: ['QuantizeLinear'],
        match: (node, graph) => matchTable(node, graph, model),
      },
    ],
  });
}

function matchTable(quantize: Node, graph: GraphView, model: Model): Edit | undefined {
  if (!isByteGrid(quantize, graph)) return undefined;
  const nodes = collectFunction(quantize, graph, model);
  if (nodes === undefined || nodes.functions.length === 0) return undefined;
  const { source, functions } = nodes;
  const table = graph.freshName(`${quantize.outputs[0]}.table`);
  const steps = [source, ...functions, quantize];
  return {
    reason: `${functions.length} operators on bytes`,
    remove: [quantize, ...functions],
    add: [edgewiseNode('MapBytes', quantize, [source.inputs[0] ?? '', table], quantize.outputs, {})],
    initializers: new Map([[table, tabulate(steps, graph, model)]]),
  };
}

/** One scale, and a zero point of uint8. */
function isByteGrid(node: Node, graph: GraphView): boolean {
  const [scale, zero] = node.inputs.slice(1).map((name) => graph.constant(name));
  return isScalar(scale) && isScalar(zero) && zero.dtype === 'uint8';
}

function isScalar(tensor: Tensor | undefined): tensor is Tensor {
  return tensor !== undefined && elementCount(tensor.dims) === 1;
}

/**
 * The element-wise nodes behind a QuantizeLinear that depend on one dequantized value and scalars only, in order, and
 * whose results nobody else wants; undefined when something else is among them.
 */
function collectFunction(
  quantize: Node,
  graph: GraphView,
  { opsets }: Model,
): { source: Node; functions: Node[] } | undefined {
  const functions: Node[] = [];
  const sources = new Set<Node>();
  const inside = new Set<Node>([quantize]);
  const visit = (value: string): boolean => {
    if (value === '' || isScalar(graph.constant(value))) return true;
    const node = graph.producer(value);
    if (node === undefined) return false;
    if (operatorName(node) === 'DequantizeLinear')
      return sources.add(node).size === 1 && isByteGrid(node, graph);
    if (inside.has(node)) return true;
    const operator = findOperator(node.domain, node.opType, opsetVersion(opsets, node.domain));
    if (!operator?.elementwise || operator.deterministic === false || node.outputs.length !== 1) return false;
    if (!node.inputs.every(visit)) return false;
    inside.add(node);
    functions.push(node);
    return true;
  };
  if (!visit(quantize.inputs[0] ?? '')) return undefined;
  const [source] = sources;
  if (source === undefined) return undefined;
  const isPrivate = functions.every(
    ({ outputs }) =>
      !graph.isOutput(outputs[0]!) && graph.consumers(outputs[0]!).every((node) => inside.has(node)),
  );
  return isPrivate ? { source, functions } : undefined;
}

/** What the nodes make of each byte. */
function tabulate(nodes: readonly Node[], graph: GraphView, model: Model): Tensor {
  const [input = ''] = nodes[0]?.inputs ?? [];
  const [output = ''] = nodes.at(-1)?.outputs ?? [];
  const constants = new Map<string, Tensor>();
  for (const name of nodes.flatMap(({ inputs }) => inputs)) {
    const tensor = graph.constant(name);
    if (tensor !== undefined) constants.set(name, tensor);
  }
  const bytes = denseTensor(
    'uint8',
    [256],
    Uint8Array.from({ length: 256 }, (_, byte) => byte),
  );
  const part: Model = {
    ...model,
    graph: {
      name: 'table',
      inputs: [{ name: input, type: { kind: 'tensor', dtype: 'uint8', shape: [256] } }],
      outputs: [{ name: output }],
      nodes: [...nodes],
      initializers: constants,
      valueInfo: new Map(),
    },
  };
  return evaluateModel(part, new Map([[input, bytes]])).get(output)!;
}
