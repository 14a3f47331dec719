import type { Node } from '../ir/index.ts';
import type { GraphView } from '../rewrite/index.ts';
import { numberConstant } from './constants.ts';
import { isStandard } from './edgewise-node.ts';
import { floatAttribute } from './node-attributes.ts';

type Scalar = (x: number) => number;

/** What a node computes from its operands, in double precision; for operators of one spelling (opset 13 and newer). */
const OPERATORS: Readonly<Record<string, (node: Node) => (...values: number[]) => number>> = {
  Add:
    () =>
    (a = NaN, b = NaN) =>
      a + b,
  Clip:
    () =>
    (x = NaN, low = -Infinity, high = Infinity) =>
      Math.min(Math.max(x, low), high),
  Div:
    () =>
    (a = NaN, b = NaN) =>
      a / b,
  Exp: () => Math.exp,
  HardSigmoid: (node) => {
    const [alpha, beta] = [floatAttribute(node, 'alpha', 0.2), floatAttribute(node, 'beta', 0.5)];
    return (x = NaN) => Math.max(0, Math.min(1, alpha * x + beta));
  },
  Log: () => Math.log,
  Max: () => Math.max,
  Min: () => Math.min,
  Mul:
    () =>
    (a = NaN, b = NaN) =>
      a * b,
  Neg:
    () =>
    (a = NaN) =>
      -a,
  Reciprocal:
    () =>
    (a = NaN) =>
      1 / a,
  Relu:
    () =>
    (x = NaN) =>
      Math.max(0, x),
  Sigmoid:
    () =>
    (x = NaN) =>
      1 / (1 + Math.exp(-x)),
  Softplus:
    () =>
    (x = NaN) =>
      Math.log1p(Math.exp(x)),
  Sub:
    () =>
    (a = NaN, b = NaN) =>
      a - b,
  Tanh: () => Math.tanh,
};

/** Nodes deep, at most: the longest spelling of an activation has six. */
const DEPTH_LIMIT = 8;

/** `value` as a function of the value `x` alone; undefined when it depends on anything but x and single numbers. */
export function scalarFormula(graph: GraphView, value: string, x: string): Scalar | undefined {
  return formula(graph, value, x, DEPTH_LIMIT);
}

function formula(graph: GraphView, value: string, x: string, depth: number): Scalar | undefined {
  if (value === x) return (number) => number;
  const constant = numberConstant(graph, value);
  if (constant !== undefined) return () => constant;
  const node = graph.producer(value);
  if (depth === 0 || !isStandard(node, ...Object.keys(OPERATORS))) return undefined;
  const apply = OPERATORS[node.opType]?.(node);
  const operands = node.inputs.map((input) =>
    input === '' ? () => undefined : formula(graph, input, x, depth - 1),
  );
  if (apply === undefined || !operands.every((operand) => operand !== undefined)) return undefined;
  // An omitted operand reaches the function as undefined and takes its default.
  return (number) => apply(...operands.map((operand) => operand(number) as number));
}

/** Values below `value` that are read by formulas over them, nearest first: what x may be. */
export function formulaArguments(graph: GraphView, value: string): string[] {
  const seen = new Set<string>();
  let level = [value];
  for (let depth = 0; depth < DEPTH_LIMIT && level.length > 0; depth++) {
    level = level.flatMap((name) => {
      const node = graph.producer(name);
      if (!isStandard(node, ...Object.keys(OPERATORS))) return [];
      return node.inputs.filter(
        (input) => input !== '' && graph.constant(input) === undefined && !seen.has(input),
      );
    });
    for (const name of level) seen.add(name);
  }
  return [...seen];
}
