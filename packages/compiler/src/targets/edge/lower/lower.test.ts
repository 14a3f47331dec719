import { describe, expect, it } from 'vitest';
import { CompilerError } from '../../../diagnostics/index.ts';
import {
  denseTensor,
  float32Tensor,
  type Attribute,
  type Model,
  type Node,
  type Tensor,
} from '../../../ir/index.ts';
import { compileEdge } from '../compile-edge.ts';
import { listUnsupported } from './lower.ts';

const OPTIONS = { maxSequence: 8 };

function model(nodes: readonly Node[], initializers: Record<string, Tensor> = {}): Model {
  return {
    irVersion: 10,
    opsets: new Map([
      ['', 17],
      ['edgewise', 1],
    ]),
    producer: { name: 'test', version: '' },
    domain: '',
    modelVersion: 0n,
    metadata: new Map(),
    functions: [],
    graph: {
      name: 'g',
      inputs: [{ name: 'input_ids' }],
      outputs: [{ name: nodes.at(-1)!.outputs[0]! }],
      nodes: [...nodes],
      initializers: new Map(Object.entries(initializers)),
      valueInfo: new Map(),
    },
  };
}

function node(
  operator: string,
  inputs: string[],
  output: string,
  attributes: Record<string, Attribute> = {},
): Node {
  const dot = operator.lastIndexOf('.');
  const [domain, opType] = [operator.slice(0, Math.max(0, dot)), operator.slice(dot + 1)];
  return {
    name: output,
    opType,
    domain,
    inputs,
    outputs: [output],
    attributes: new Map(Object.entries(attributes)),
  };
}

const ones = (length: number): Tensor => float32Tensor([length], new Float32Array(length).fill(1));
const embed = node('edgewise.EmbedLayerNorm', ['input_ids', '', 'word', 'position', '', 'g', 'b'], 'x');
const constants = {
  word: float32Tensor([5, 8], new Float32Array(40)),
  position: float32Tensor([8, 8], new Float32Array(64)),
  g: ones(8),
  b: ones(8),
};

function failure(of: () => unknown): CompilerError {
  try {
    of();
  } catch (error) {
    if (error instanceof CompilerError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('lowerModel', () => {
  it('names every operator that has no kernel, with how many nodes use it', () => {
    const odd = model(
      [
        embed,
        node('Atanh', ['x'], 'a'),
        node('Atanh', ['a'], 'c'),
        node('com.microsoft.FastGelu', ['c'], 'd'),
      ],
      constants,
    );
    expect(listUnsupported(odd).map(({ message }) => message)).toEqual([
      'The engine has no kernel for Atanh (2 nodes).',
      'The engine has no kernel for com.microsoft.FastGelu (1 node).',
    ]);
    expect(failure(() => compileEdge(odd, OPTIONS))).toMatchObject({
      code: 'unsupported',
      diagnostics: [{}, {}],
    });
  });

  it('refuses more tokens than the model has positions for', () => {
    const error = failure(() => compileEdge(model([embed], constants), { maxSequence: 9 }));
    expect(error).toMatchObject({
      code: 'bad-option',
      message: 'maxSequence is 9, but the model has positions for 8 tokens only.',
    });
  });

  it('refuses a table of another type by name', () => {
    const word = denseTensor('float64', [5, 8], new Float64Array(40));
    expect(failure(() => compileEdge(model([embed], { ...constants, word }), OPTIONS)).message).toBe(
      'The engine cannot run EmbedLayerNorm "x": the constant "word" has type float64; tables are float32, int8 or int4.',
    );
  });

  it('refuses sums of different shapes', () => {
    const nodes = [embed, node('edgewise.Linear', ['x', 'w'], 'half'), node('Add', ['x', 'half'], 'sum')];
    const w = float32Tensor([8, 4], new Float32Array(32));
    expect(failure(() => compileEdge(model(nodes, { ...constants, w }), OPTIONS)).message).toContain(
      'Add "sum": its operands have different shapes',
    );
  });

  it('says how values of ids are bounded', () => {
    const { model: edge } = compileEdge(model([embed], constants), OPTIONS);
    expect(edge.inputs).toMatchObject([{ name: 'input_ids', range: [0, 4], shape: [1, 'sequence'] }]);
    expect(edge.outputs).toMatchObject([{ name: 'x', shape: [1, 'sequence', 8], rowStride: 8 }]);
  });
});
