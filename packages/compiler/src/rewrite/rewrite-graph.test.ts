import { describe, expect, it } from 'vitest';
import { parseModel, printGraph, validateModel, type Model, type Node } from '../ir/index.ts';
import type { Rule } from './edit.ts';
import { GraphIndex } from './graph-index.ts';
import { rewriteGraph } from './rewrite-graph.ts';

const model = (body: string): Model => parseModel(`ir 10\nopset ai.onnx 17\n\ngraph main {\n${body}\n}\n`);

const find = (index: GraphIndex, opType: string): Node => {
  const node = [...index.nodes].find((candidate) => candidate.opType === opType);
  if (node === undefined) throw new Error(`no ${opType}`);
  return node;
};

const DROP_IDENTITY: Rule = {
  name: 'drop Identity',
  operators: ['Identity'],
  match: (node) => ({
    reason: 'Identity',
    remove: [node],
    replace: new Map([[node.outputs[0] ?? '', node.inputs[0] ?? '']]),
  }),
};

describe('GraphIndex', () => {
  const { graph } = model(`
  input x: float32[2]
  input with_default: float32[1]
  constant with_default: float32[1] {1}
  constant c: float32[1] {2}
  a = Add(x, x)
  k = Constant() value_int=7
  b = If(x) then_branch=graph then {
    t = Neg(a)
    output t
  } else_branch=graph else {
    output c
  }
  output a: float32[2]
  output b: float32[2]`);
  const index = new GraphIndex(graph);

  it('counts input slots, outputs and reads inside subgraphs', () => {
    expect(index.useCount('x')).toBe(3);
    expect(index.useCount('a')).toBe(2);
    expect(index.consumers('a').map((node) => node.opType)).toEqual(['If']);
    expect(index.consumers('c').map((node) => node.opType)).toEqual(['If']);
    expect(index.useCount('k')).toBe(0);
  });

  it('gives constants, but no defaults that a caller can override', () => {
    expect(index.constant('c')?.dims).toEqual([1]);
    expect(index.constant('k')?.dtype).toBe('int64');
    expect(index.constant('with_default')).toBeUndefined();
    expect(index.constant('a')).toBeUndefined();
  });

  it('finds free names', () => {
    expect(index.freshName('a')).toBe('a_1');
    expect(index.freshName('new')).toBe('new');
  });

  it('looks for constants in enclosing graphs', () => {
    const branch = find(index, 'If').attributes.get('else_branch');
    if (branch?.kind !== 'graph') throw new Error('no branch');
    expect(new GraphIndex(branch.value, index).constant('c')?.dims).toEqual([1]);
  });
});

describe('edits', () => {
  it('keep the name of a graph output by renaming the producer', () => {
    const { graph } = model(`
  input x: float32[2]
  a = Relu(x)
  b = Neg(a)
  y = Identity(a)
  output b: float32[2]
  output y: float32[2]`);
    expect(rewriteGraph(graph, [DROP_IDENTITY]).edits).toBe(1);
    expect(printGraph(graph)).toContain('y = Relu(x)');
    expect(printGraph(graph)).toContain('b = Neg(y)');
  });

  it('are refused when an output would lose its name', () => {
    const { graph } = model(`
  input x: float32[2]
  constant c: float32[1] {1}
  y = Identity(x)
  z = Identity(c)
  r = Relu(x)
  s = Identity(r)
  output y: float32[2]
  output z: float32[1]
  output r: float32[2]
  output s: float32[2]`);
    const before = printGraph(graph);
    expect(rewriteGraph(graph, [DROP_IDENTITY]).edits).toBe(0);
    expect(printGraph(graph)).toBe(before);
  });

  it('reach into subgraphs, from outside and inside', () => {
    const { graph } = model(`
  input x: float32[2]
  input cond: bool[]
  a = Relu(x)
  b = Identity(a)
  y = If(cond) then_branch=graph then {
    t = Neg(b)
    u = Identity(t)
    v = Abs(u)
    output v
  } else_branch=graph else {
    output b
  }
  output y: float32[2]`);
    expect(rewriteGraph(graph, [DROP_IDENTITY]).edits).toBe(2);
    const text = printGraph(graph);
    expect(text).not.toContain('Identity');
    expect(text).toContain('t = Neg(a)');
    expect(text).toContain('v = Abs(t)');
    expect(text).toContain('output a');
  });

  it('take along what only the removed nodes used, and nothing else', () => {
    const { graph } = model(`
  input x: float32[2]
  constant only: float32[1] {1}
  constant shared: float32[1] {2}
  a = Add(x, only)
  b = Mul(a, shared)
  c = Neg(b)
  d = Sub(x, shared)
  y = Add(c, d)
  output y: float32[2]`);
    const index = new GraphIndex(graph);
    const neg = find(index, 'Neg');
    index.apply({
      reason: 'test',
      remove: [neg],
      add: [{ ...neg, opType: 'Relu', inputs: ['x'] }],
    });
    index.commit();
    expect(graph.nodes.map((node) => node.opType)).toEqual(['Relu', 'Sub', 'Add']);
    expect([...graph.initializers.keys()]).toEqual(['shared']);
  });

  it('leave nodes in topological order', () => {
    const wide = model(`
  input x: float32[2]
  a = Relu(x)
  b = Neg(a)
  c = Abs(x)
  y = Add(b, c)
  output y: float32[2]`);
    const index = new GraphIndex(wide.graph);
    // Neg reads a value that is computed after it in the old order.
    const neg = find(index, 'Neg');
    index.apply({ reason: 'test', remove: [neg], add: [{ ...neg, inputs: ['c'] }] });
    index.commit();
    expect(wide.graph.nodes.map((node) => node.opType)).toEqual(['Abs', 'Neg', 'Add']);
    expect(validateModel(wide)).toEqual([]);
  });
});

describe('rewriteGraph', () => {
  it('stops rules that undo each other, with a warning', () => {
    const flip = (from: string, to: string): Rule => ({
      name: `${from} to ${to}`,
      operators: [from],
      match: (node) => ({ reason: 'flip', remove: [node], add: [{ ...node, opType: to }] }),
    });
    const { graph } = model('  input x: float32[2]\n  y = Sin(x)\n  output y: float32[2]');
    const result = rewriteGraph(graph, [flip('Sin', 'Cos'), flip('Cos', 'Sin')], { maxEdits: 10 });
    expect(result.edits).toBe(10);
    expect(result.diagnostics.map(({ code }) => code)).toEqual(['rewrite-limit']);
    expect(graph.nodes).toHaveLength(1);
  });

  it('logs rules and reasons', () => {
    const { graph } = model('  input x: float32[2]\n  a = Identity(x)\n  y = Neg(a)\n  output y: float32[2]');
    expect(rewriteGraph(graph, [DROP_IDENTITY]).log).toEqual([{ rule: 'drop Identity', reason: 'Identity' }]);
  });

  it('works through a chain of 5000 nodes at once', () => {
    const chain = Array.from({ length: 5000 }, (_, i) => `  v${i + 1} = Identity(v${i})`).join('\n');
    const { graph } = model(`  input v0: float32[2]\n${chain}\n  y = Neg(v5000)\n  output y: float32[2]`);
    expect(rewriteGraph(graph, [DROP_IDENTITY]).edits).toBe(5000);
    expect(graph.nodes).toHaveLength(1);
  });
});
