import { seededRandom, type SeededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { parseModel, randomTensor, validateModel, type Model } from '../src/ir/index.ts';
import { evaluateModel } from '../src/ops/index.ts';
import { runPasses } from '../src/rewrite/index.ts';
import { compactEncoder, narrowSequence } from '../src/transforms/index.ts';

/** Graphs of the operators that the transforms look at, put together without sense: no pass may change an output. */
const SEEDS = Array.from({ length: 150 }, (_, seed) => seed);

describe('transforms on random graphs', () => {
  it.each(SEEDS)('seed %i', async (seed) => {
    const random = seededRandom(seed);
    const model = randomModel(random);
    expect(validateModel(model)).toEqual([]);
    const samples = [1, 2].map(
      (salt) => new Map([['x', randomTensor('float32', [2, 3, 4], seed * 2 + salt, [-2, 2])]]),
    );
    const passes = [...compactEncoder(), narrowSequence(), ...compactEncoder()];
    const result = await runPasses(model, passes, { samples, evaluate: evaluateModel });
    expect(result.diagnostics).toEqual([]);
    expect(result.model.graph.nodes.length).toBeLessThanOrEqual(model.graph.nodes.length + 4);
  });
});

interface Value {
  readonly name: string;
  readonly dims: readonly number[];
}

/** Writes one node over the values so far; undefined where the operator does not fit. */
type Writer = (random: SeededRandom, values: readonly Value[], lines: Lines) => Value | undefined;

class Lines {
  readonly constants: string[] = [];
  readonly nodes: string[] = [];

  constant(dtype: string, dims: readonly number[], content: string): string {
    const name = `c${this.constants.length}`;
    this.constants.push(`  constant ${name}: ${dtype}[${dims.join()}] ${content}`);
    return name;
  }

  node(call: string, dims: readonly number[]): Value {
    const name = `v${this.nodes.length}`;
    this.nodes.push(`  ${name} = ${call}`);
    return { name, dims };
  }
}

const unary =
  (call: (x: string) => string): Writer =>
  (random, values, lines) => {
    const x = random.pick(values);
    return lines.node(call(x.name), x.dims);
  };

const binary =
  (opType: string): Writer =>
  (random, values, lines) => {
    const x = random.pick(values);
    const twin = random.pick(values.filter(({ dims }) => dims.join() === x.dims.join()));
    const width = x.dims.at(-1) ?? 1;
    const row = lines.constant('float32', [width], random.pick(['fill(1)', 'fill(0.5)', `random(${width})`]));
    const other = random.pick([x.name, twin.name, twin.name, row]);
    return lines.node(
      random() < 0.5 ? `${opType}(${x.name}, ${other})` : `${opType}(${other}, ${x.name})`,
      x.dims,
    );
  };

const reshape: Writer = (random, values, lines) => {
  const x = random.pick(values);
  const count = x.dims.reduce((product, dim) => product * dim, 1);
  const dims = random.pick([x.dims, [count], [count / 2, 2], [2, count / 2], [...x.dims, 1]]);
  if (!dims.every(Number.isInteger)) return undefined;
  const target = lines.constant('int64', [dims.length], `{${dims.join(', ')}}`);
  return lines.node(`Reshape(${x.name}, ${target})`, dims);
};

const transpose: Writer = (random, values, lines) => {
  const x = random.pick(values);
  const axes = x.dims.map((_, axis) => axis);
  const permutation = random() < 0.3 ? axes : axes.toReversed();
  return lines.node(
    `Transpose(${x.name}) perm=[${permutation.join(', ')}]`,
    permutation.map((axis) => x.dims[axis] ?? 1),
  );
};

const product: Writer = (random, values, lines) => {
  const x = random.pick(values);
  const [inner = 1, width] = [x.dims.at(-1), random.int(1, 4)];
  if (x.dims.length < 2) return undefined;
  const weight = lines.constant('float32', [inner, width], `random(${lines.constants.length}, -0.5, 0.5)`);
  return lines.node(`MatMul(${x.name}, ${weight})`, [...x.dims.slice(0, -1), width]);
};

const normalize: Writer = (random, values, lines) => {
  const x = random.pick(values);
  const width = x.dims.at(-1) ?? 1;
  const [gamma, beta] = [1, 2].map((seed) => lines.constant('float32', [width], `random(${seed})`));
  return lines.node(`LayerNormalization(${x.name}, ${gamma}, ${beta}) axis=-1 epsilon=0.1`, x.dims);
};

const gatherRow: Writer = (random, values, lines) => {
  const x = random.pick(values);
  if (x.dims.length !== 3) return undefined;
  const index = lines.constant('int64', [], `{${random.int(-1, (x.dims[1] ?? 1) - 1)}}`);
  return lines.node(`Gather(${x.name}, ${index}) axis=1`, [x.dims[0] ?? 1, x.dims[2] ?? 1]);
};

const slice: Writer = (random, values, lines) => {
  const x = random.pick(values);
  const extent = x.dims[0] ?? 1;
  const start = random.int(0, extent - 1);
  const [from, to] = [start, extent].map((end) => lines.constant('int64', [1], `{${end}}`));
  const axis = lines.constant('int64', [1], '{0}');
  return lines.node(`Slice(${x.name}, ${from}, ${to}, ${axis})`, [extent - start, ...x.dims.slice(1)]);
};

const shapeReshape: Writer = (random, values, lines) => {
  const x = random.pick(values);
  const shape = lines.node(`Shape(${x.name})`, [x.dims.length]);
  return lines.node(`Reshape(${x.name}, ${shape.name})`, x.dims);
};

const gelu: Writer = (random, values, lines) => {
  const x = random.pick(values);
  const constants = { root: Math.SQRT2, half: random.pick([0.5, 0.5, 0.4]), one: 1 };
  const [root, half, one] = Object.values(constants).map((value) =>
    lines.constant('float32', [], `{${value}}`),
  );
  const scaled = lines.node(`Div(${x.name}, ${root})`, x.dims);
  const curve = lines.node(`Erf(${scaled.name})`, x.dims);
  const shifted = lines.node(`Add(${one}, ${curve.name})`, x.dims);
  const gated = lines.node(`Mul(${x.name}, ${shifted.name})`, x.dims);
  return lines.node(`Mul(${gated.name}, ${half})`, x.dims);
};

const WRITERS: readonly Writer[] = [
  unary((x) => `Relu(${x})`),
  unary((x) => `Tanh(${x})`),
  unary((x) => `Identity(${x})`),
  unary((x) => `Dropout(${x})`),
  unary((x) => `Cast(${x}) to=1`),
  unary((x) => `Softmax(${x}) axis=-1`),
  unary((x) => `Sigmoid(${x})`),
  binary('Add'),
  binary('Add'),
  binary('Mul'),
  binary('Sub'),
  reshape,
  transpose,
  product,
  product,
  normalize,
  gatherRow,
  slice,
  shapeReshape,
  gelu,
];

function randomModel(random: SeededRandom): Model {
  const lines = new Lines();
  const values: Value[] = [{ name: 'x', dims: [2, 3, 4] }];
  for (let i = 0; i < 25; i++) {
    // Recent values more often, so that chains grow.
    const value = random.pick(WRITERS)(random, [...values, ...values.slice(-3)], lines);
    if (value !== undefined) values.push(value);
  }
  const outputs = new Set([values.at(-1), random.pick(values.slice(1)), random.pick(values.slice(1))]);
  return parseModel(
    [
      'ir 10',
      'opset ai.onnx 17',
      '',
      'graph main {',
      '  input x: float32[2,3,4]',
      ...lines.constants,
      ...lines.nodes,
      ...[...outputs].map((value) => `  output ${value?.name}`),
      '}',
      '',
    ].join('\n'),
  );
}
