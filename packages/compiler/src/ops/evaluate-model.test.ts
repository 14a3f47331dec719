import { describe, expect, it } from 'vitest';
import {
  float32Tensor,
  int64Tensor,
  parseModel,
  typedData,
  type DenseTensor,
  type Tensor,
} from '../ir/index.ts';
import { createEvaluator, evaluateModel, evaluateNode } from './evaluate-model.ts';
import { tensorNumbers } from './nd-array.ts';

const numbers = (tensor: Tensor | undefined): number[] => Array.from(tensorNumbers(tensor as Tensor));

const BRANCHES = parseModel(`graph main {
  input c: bool[]
  input x: float32[n]
  constant bias: float32[1] {10}
  y = If(c) then_branch=graph a {
    t = Add(x, bias)
    output t
  } else_branch=graph b {
    e = Sub(x, bias)
    output e
  }
  unused = com.example.Mystery(x)
  output y
}`);

function bool(value: 0 | 1): DenseTensor {
  return { kind: 'dense', dtype: 'bool', dims: [], data: Uint8Array.of(value) };
}

it('createEvaluator copies a constant once for all runs', () => {
  const model = parseModel('graph g {\n  input x: float32[2]\n  y = Add(x, w)\n  output y\n}');
  let reads = 0;
  const bytes = new Uint8Array([0, ...new Uint8Array(Float32Array.of(1, 2).buffer)]);
  model.graph.initializers.set('w', {
    kind: 'dense',
    dtype: 'float32',
    dims: [2],
    get data() {
      reads++;
      return bytes.subarray(1);
    },
  });
  const evaluate = createEvaluator();
  const inputs = new Map([['x', float32Tensor([2], [10, 20])]]);
  evaluate(model, inputs);
  const readsOfOneRun = reads;
  expect(numbers(evaluate(model, inputs).get('y'))).toEqual([11, 22]);
  expect(reads).toBe(readsOfOneRun);
});

describe('evaluateModel', () => {
  it('runs only what is needed, and subgraphs that read enclosing values', () => {
    const x = float32Tensor([2], [1, 2]);
    const run = (c: 0 | 1): Tensor | undefined => evaluateModel(BRANCHES, new Map([['c', bool(c)], ['x', x]])).get('y'); // prettier-ignore
    expect(numbers(run(1))).toEqual([11, 12]);
    expect(numbers(run(0))).toEqual([-9, -8]);
  });

  it('returns wanted inner values', () => {
    const model = parseModel(
      'graph main {\n  input x: float32[2]\n  a = Neg(x)\n  b = Exp(a)\n  output b\n}',
    );
    const inputs = new Map([['x', float32Tensor([2], [0, 1])]]);
    const results = evaluateModel(model, inputs, { want: ['a', 'x'] });
    expect([...results.keys()]).toEqual(['a', 'x']);
    expect(numbers(results.get('a'))).toEqual([-0, -1]);
  });

  it('uses a constant as the default of an input', () => {
    const model = parseModel(
      'graph main {\n  input x: float32[1]\n  constant x: float32[1] {5}\n  y = Neg(x)\n  output y\n}',
    );
    expect(numbers(evaluateModel(model, new Map()).get('y'))).toEqual([-5]);
    expect(numbers(evaluateModel(model, new Map([['x', float32Tensor([1], [2])]])).get('y'))).toEqual([-2]);
  });

  it('names what is missing, what has no evaluation, and which node failed', () => {
    const x = float32Tensor([2], [1, 2]);
    expect(() => evaluateModel(BRANCHES, new Map([['x', x]]))).toThrow('"c" is not known');
    expect(() => evaluateModel(BRANCHES, new Map([['x', x]]), { want: ['unused'] })).toThrow(
      'com.example.Mystery (version 1) has no reference evaluation',
    );
    const model = parseModel(
      'graph main {\n  input x: float32[2]\n  input i: int64[1]\n  y = Gather(x, i) @pick\n  output y\n}',
    );
    const inputs = new Map<string, Tensor>([['x', x], ['i', int64Tensor([1], [5])]]); // prettier-ignore
    expect(() => evaluateModel(model, inputs)).toThrow(
      expect.objectContaining({ code: 'invalid-graph', at: { node: 'pick' } }),
    );
  });

  it('rounds float16 results and wraps integers', () => {
    const model = parseModel(`graph main {
      constant h: float16[1] x"003c"
      constant t: float16[1] x"0114"
      constant i: int32[1] {2147483647}
      constant j: int64[1] {9223372036854775807}
      a = Add(h, t)
      b = Add(i, i)
      c = Add(j, j)
      output a
      output b
      output c
    }`);
    const results = evaluateModel(model, new Map());
    expect(typedData(results.get('a') as DenseTensor & { dtype: 'float16' })).toEqual(Uint16Array.of(0x3c01));
    expect(numbers(results.get('b'))).toEqual([-2]);
    expect(numbers(results.get('c'))).toEqual([-2]);
  });
});

describe('evaluateNode', () => {
  it('leaves random and unknown operators alone', () => {
    const { opsets, graph } = parseModel(`graph main {
      input x: float32[2]
      a = RandomNormal() shape=[2]
      b = com.example.Mystery(x)
      c = Neg(x)
      output c
    }`);
    const x = float32Tensor([2], [1, 2]);
    const results = graph.nodes.map((node) =>
      evaluateNode(
        opsets,
        node,
        node.inputs.map(() => x),
      ),
    );
    expect(results.map((result) => result?.map(numbers))).toEqual([undefined, undefined, [[-1, -2]]]);
  });
});
