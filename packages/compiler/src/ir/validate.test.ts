import { describe, expect, it } from 'vitest';
import type { Model } from './model.ts';
import { parseModel } from './parse.ts';
import { float32Tensor } from './tensor.ts';
import { validateModel } from './validate.ts';

/** `code graph|node|value` of every diagnostic. */
function codes(model: Model): string[] {
  return validateModel(model).map(({ code, at }) =>
    [code, ...[at?.graph, at?.node, at?.value].filter((part) => part !== undefined)].join(' '),
  );
}

function graph(...lines: string[]): Model {
  return parseModel(`graph g {\n${lines.join('\n')}\n}`);
}

describe('validateModel', () => {
  it('accepts a sound model with subgraphs and functions', () => {
    const model = parseModel(`
      opset ai.onnx 17
      opset my 1
      graph g {
        input c: bool[]
        input x: float32[batch,2*seq+1]
        constant w: float32[2] {1, 2}
        h = Add(x, w)
        y = If(c) then_branch=graph then {
          a = Relu(h)
          output a
        } else_branch=graph else {
          output h
        }
        z = my.Fn(y, _) slope=0.5
        output z
      }
      function my.Fn(a, b) -> (c) {
        opset ai.onnx 17
        attribute slope
        c = LeakyRelu(a) alpha=ref slope FLOAT
      }`);
    expect(validateModel(model)).toEqual([]);
  });

  it.each<[string, string[], string[]]>([
    ['two definitions', ['input x', 'x = Relu(x)', 'output x'], ['duplicate-value g #0 Relu x']],
    ['two inputs of a name', ['input x', 'input x', 'output x'], ['duplicate-value g x']],
    ['no definition', ['y = Relu(x)', 'output y'], ['undefined-value g #0 Relu x']],
    ['wrong order', ['input x', 'z = Relu(y) @n', 'y = Relu(x)', 'output z'], ['not-sorted g n y']],
    ['a cycle', ['a = Add(a0, b)', 'b = Relu(a)', 'output b', 'input a0'], ['cycle g #0 Add b']],
    ['no producer of an output', ['input x', 'output y'], ['missing-output g y']],
    [
      'an unknown operator set',
      ['input x', 'y = com.microsoft.Gelu(x)', 'output y'],
      ['missing-opset g #0 Gelu'],
    ],
    ['a reference outside functions', ['y = Op() a=ref b INT', 'output y'], ['bad-reference g #0 Op']],
    ['a name of a subgraph used outside', ['input c', 'y = If(c) then_branch=graph t {', 'a = Op()', 'output a', '}', 'z = Relu(a)', 'output z'], ['undefined-value g #1 Relu a']], // prettier-ignore
  ])('reports %s', (_, lines, expected) => {
    expect(codes(graph(...lines))).toEqual(expected);
  });

  it('lets an initializer be the default of an input', () => {
    expect(codes(graph('input w: float32[1]', 'constant w: float32[1] {1}', 'output w'))).toEqual([]);
  });

  it('looks into subgraphs and names their path', () => {
    const lines = [
      'input c',
      'x = Op()',
      'y = If(c) then_branch=graph t {',
      'x = Relu(q)',
      'output x',
      '} @if',
      'output y',
    ];
    const model = graph(...lines);
    expect(codes(model)).toEqual([
      'undefined-value g/if.then_branch #0 Relu q',
      'shadowed-value g/if.then_branch #0 Relu x',
    ]);
    expect(validateModel(model).map(({ severity }) => severity)).toEqual(['error', 'warning']);
  });

  it('compares dims with data', () => {
    const model = graph(
      'constant w: float32[2] {1, 2}',
      'y = Constant() value=int8[2] {1, 2}',
      'output w',
      'output y',
    );
    model.graph.initializers.set('w', { ...float32Tensor([2], [1, 2]), dims: [3] });
    const [node] = model.graph.nodes;
    const attributes = new Map([
      ['value', { kind: 'sparse-tensor', value: { kind: 'sparse', dtype: 'float32', dims: [9], values: float32Tensor([2], [1, 2]), indices: float32Tensor([2], [0, 1]) } }], // prettier-ignore
    ] as const);
    if (node !== undefined) model.graph.nodes = [{ ...node, attributes }];
    expect(codes(model)).toEqual(['bad-tensor g w', 'bad-tensor g #0 Constant']);
  });

  it('refuses dims that are not canonical', () => {
    const model = graph('output x', 'input x');
    model.graph.inputs = [{ name: 'x', type: { kind: 'tensor', dtype: 'int8', shape: ['1 + seq', -1, 2] } }];
    expect(codes(model)).toEqual(['bad-dim g x', 'bad-dim g x']);
  });

  it('checks functions', () => {
    const model = parseModel(`
      opset f 1
      graph g {
        output y
        y = f.A()
      }
      function f.A() -> (y) {
        opset f 1
        y = f.B() a=ref missing INT
      }
      function f.B() -> (y, z) {
        opset f 1
        y = f.A()
      }
      function f.C() -> () {
        opset f 1
      }
      function f.C() -> (y) {
        y = Relu(q)
      }`);
    expect(codes(model)).toEqual([
      'bad-reference f.A #0 B',
      'missing-output f.B z',
      'duplicate-function f.C',
      'undefined-value f.C #0 Relu q',
      'missing-opset f.C #0 Relu',
      'recursive-function f.A',
      'recursive-function f.B',
    ]);
  });
});
