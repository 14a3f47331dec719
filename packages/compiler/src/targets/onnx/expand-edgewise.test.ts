import { describe, expect, it } from 'vitest';
import { parseModel, printModel, type Graph, type Model } from '../../ir/index.ts';
import { operatorName, subgraphsOf } from '../../rewrite/index.ts';
import { expandEdgewise } from './expand-edgewise.ts';

const model = (body: string): Model =>
  parseModel(`ir 8
opset ai.onnx 17
opset edgewise 1

graph main {
  input x: float32[n,4]
  input choose: bool[]
  constant weight: float32[4,4] random(1)
  constant bias: float32[4] random(2)
${body}
  output y: float32[n,4]
}
`);

function operators(graph: Graph): string[] {
  return graph.nodes.flatMap((node) => [operatorName(node), ...subgraphsOf(node).flatMap(operators)]);
}

const linear = (activation: string): string =>
  `  y: float32[n,4] = edgewise.Linear(x, weight, bias) activation="${activation}" @dense`;

describe('expandEdgewise', () => {
  it.each([
    ['none', true, ['MatMul', 'Add']],
    ['relu', true, ['MatMul', 'Add', 'Relu']],
    ['silu', true, ['MatMul', 'Add', 'Sigmoid', 'Mul']],
    ['gelu', true, ['MatMul', 'Add', 'com.microsoft.Gelu']],
    ['gelu_tanh', true, ['MatMul', 'Add', 'com.microsoft.FastGelu']],
    ['gelu', false, ['MatMul', 'Add', 'Div', 'Erf', 'Add', 'Mul', 'Mul']],
  ])('Linear with %s, contrib %s', (activation, contrib, expected) => {
    expect(operators(expandEdgewise(model(linear(activation)), { contrib }).graph)).toEqual(expected);
  });

  it('keeps names: the output its own, the rest from the node', () => {
    const { graph } = expandEdgewise(model(linear('none')));
    expect(graph.nodes.map(({ outputs }) => outputs)).toEqual([['dense/matmul'], ['y']]);
  });

  it('says which opsets it used, and raises the version only where it must', () => {
    const contrib = expandEdgewise(model(linear('gelu')));
    expect([...contrib.opsets]).toEqual([['', 17], ['com.microsoft', 1]]); // prettier-ignore
    expect([...expandEdgewise(model(linear('none')), { opset: 21 }).opsets]).toEqual([['', 21]]);
  });

  it('expands in subgraphs too', () => {
    const branch = (name: string): string => `graph ${name} {
    t: float32[n,4] = edgewise.Linear(x, weight) activation="gelu"
    output t
  }`;
    const nested = model(
      `  y: float32[n,4] = If(choose) then_branch=${branch('yes')} else_branch=${branch('no')} @if`,
    );
    const before = printModel(nested);
    const expanded = expandEdgewise(nested);
    expect(operators(expanded.graph)).toEqual([
      'If',
      'MatMul',
      'com.microsoft.Gelu',
      'MatMul',
      'com.microsoft.Gelu',
    ]);
    expect(expanded.opsets.get('com.microsoft')).toBe(1);
    expect(printModel(nested)).toBe(before);
  });

  it('refuses a weight that is computed where it must know it', () => {
    const body = `  constant scale: float32[4] fill(1)
  w: float32[4,4] = Relu(weight)
  y: float32[n,4] = edgewise.QuantizedLinear(x, w, scale, _, bias) weight_bits=4 @dense`;
    expect(() => expandEdgewise(model(body))).toThrow(/'w' is not a constant/);
  });
});
