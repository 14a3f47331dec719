import { expect, it } from 'vitest';
import { cloneModel } from './clone.ts';
import type { Graph, Model } from './model.ts';
import { parseModel } from './parse.ts';
import { printModel } from './print.ts';

const TEXT = `graph g {
  input c: bool[]
  constant w: float32[1] {1}
  y = If(c) then_branch=graph t {
    output w
  } branches=[graph u {
    output w
  }]
  output y
}`;

function subgraphs(model: Model): Graph[] {
  const attributes = model.graph.nodes[0]?.attributes;
  const [one, many] = [attributes?.get('then_branch'), attributes?.get('branches')];
  if (one?.kind !== 'graph' || many?.kind !== 'graphs') throw new Error('the node has subgraphs');
  return [one.value, ...many.value];
}

it('shares tensors and nothing that can be edited', () => {
  const model = parseModel(TEXT);
  const before = printModel(model);
  const copy = cloneModel(model);
  expect(printModel(copy)).toBe(before);
  expect(copy.graph.initializers.get('w')).toBe(model.graph.initializers.get('w'));

  copy.opsets.set('other', 1);
  copy.producer.name = 'other';
  copy.metadata.set('key', 'value');
  for (const graph of [copy.graph, ...subgraphs(copy)]) {
    graph.name = 'other';
    graph.inputs.push({ name: 'other' });
    graph.outputs.pop();
    graph.initializers.clear();
    graph.valueInfo.set('other', { name: 'other' });
  }
  copy.graph.nodes.pop();
  copy.functions.length = 0;
  expect(printModel(model)).toBe(before);
});
