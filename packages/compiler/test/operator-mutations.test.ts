import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom, type SeededRandom } from '@edgewise/test-utils';
import { expect, it } from 'vitest';
import { int64Tensor, readOnnx, type Attribute, type Model, type Node } from '../src/index.ts';
import { operators } from '../src/ops/index.ts';
import { inspectModel } from '../src/report/index.ts';
import { EXPORTS } from './sample-models.ts';

const MUTANTS = 500;
const BAD_INTEGERS = [0n, -1n, 7n, -99n, 2n ** 40n];

/** Damage that structural validation does not see: wrong operators, arities, wiring and attribute values. */
const MUTATIONS: readonly ((node: Node, random: SeededRandom, others: readonly Node[]) => Node)[] = [
  (node, random) => ({ ...node, ...pickName(random) }),
  (node, random) => ({ ...node, inputs: node.inputs.slice(0, random.int(0, 2)) }),
  (node, random) => ({ ...node, inputs: node.inputs.map((name) => (random() < 0.3 ? '' : name)) }),
  (node, random, others) => ({
    ...node,
    inputs: node.inputs.map((name) => (random() < 0.5 ? name : (random.pick(others).outputs[0] ?? name))),
  }),
  (node, random) => ({
    ...node,
    attributes: new Map([...node.attributes].map(([k, v]) => [k, spoil(v, random)])),
  }),
  (node, random) => ({
    ...node,
    attributes: new Map<string, Attribute>([
      ...node.attributes,
      ['value', { kind: 'tensor', value: int64Tensor([2], [random.int(-3, 3), 2 ** 33]) }],
      ['axis', { kind: 'int', value: random.pick(BAD_INTEGERS) }],
    ]),
  }),
];

function pickName(random: SeededRandom): Pick<Node, 'domain' | 'opType'> {
  const { domain, opType } = random.pick(operators);
  return { domain, opType };
}

function spoil(attribute: Attribute, random: SeededRandom): Attribute {
  if (attribute.kind === 'int') return { kind: 'int', value: random.pick(BAD_INTEGERS) };
  if (attribute.kind !== 'ints') return attribute;
  return { kind: 'ints', value: attribute.value.map(() => random.pick(BAD_INTEGERS)) };
}

it('inference and cost survive damaged models', () => {
  const models = readdirSync(EXPORTS)
    .filter((name) => /^(distilbert|minilm).*\.onnx$/.test(name))
    .map((name) => readOnnx(readFileSync(join(EXPORTS, name))));
  const random = seededRandom(20);
  const findings = new Set<string>();
  for (let i = 0; i < MUTANTS; i++) {
    const mutant = mutate(random.pick(models), random);
    const bindings = new Map([['batch', 1], ['sequence', 8]]); // prettier-ignore
    for (const { code } of inspectModel(mutant, { bindings }).warnings) findings.add(code);
  }
  expect([...findings]).toEqual(expect.arrayContaining(['shape-inference', 'dynamic-batch']));
}, 60_000);

function mutate(model: Model, random: SeededRandom): Model {
  const nodes = [...model.graph.nodes];
  for (let count = random.int(1, 8); count > 0; count--) {
    const at = random.int(0, nodes.length - 1);
    nodes[at] = random.pick(MUTATIONS)(nodes[at] as Node, random, nodes);
  }
  return { ...model, graph: { ...model.graph, nodes } };
}
