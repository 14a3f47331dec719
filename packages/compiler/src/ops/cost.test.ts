import { describe, expect, it } from 'vitest';
import { parseModel } from '../ir/index.ts';
import { costNodes } from './cost.ts';
import { inferTypes } from './infer-types.ts';

const MODEL = parseModel(`graph main {
  input x: float32[batch,seq,32]
  input image: float32[batch,3,8,8]
  input c: bool[]
  constant w: float32[32,64] random(1)
  constant k: float32[4,3,3,3] random(2)
  h = MatMul(x, w)
  again = MatMul(x, w)
  picture = Conv(image, k) pads=[1, 1, 1, 1]
  t = Constant() value=int64[3] {1, 2, 3}
  y = If(c) then_branch=graph yes {
    inner = MatMul(x, w)
    output inner
  } else_branch=graph no {
    output h
  }
  output y
}`);

describe('costNodes', () => {
  it('counts multiply-accumulates, parameters once, and bytes, subgraphs included', () => {
    const bindings = new Map([['batch', 2], ['seq', 5]]); // prettier-ignore
    const costs = costNodes(MODEL, inferTypes(MODEL), bindings);
    expect(costs.map(({ node, graph, macs, parameters, parameterBytes, activationBytes }) =>
      [node.opType, graph, macs, parameters, parameterBytes, activationBytes],
    )).toEqual([
      ['MatMul', 'main', 2 * 5 * 64 * 32, 2048, 8192, 2 * 5 * 64 * 4],
      ['MatMul', 'main', 2 * 5 * 64 * 32, 0, 0, 2 * 5 * 64 * 4],
      ['Conv', 'main', 2 * 4 * 8 * 8 * 27, 108, 432, 2 * 4 * 8 * 8 * 4],
      ['Constant', 'main', 0, 3, 24, 24],
      ['If', 'main', 0, 0, 0, 2 * 5 * 64 * 4],
      ['MatMul', 'main/If.then_branch', 2 * 5 * 64 * 32, 0, 0, 2 * 5 * 64 * 4],
    ]); // prettier-ignore
  });

  it('says null where a dim is not bound', () => {
    const [first] = costNodes(MODEL, inferTypes(MODEL), new Map([['batch', 1]]));
    expect(first).toMatchObject({ macs: null, activationBytes: null, parameters: 2048 });
  });
});
