import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { readOnnx, writeOnnx } from '../src/import/onnx/index.ts';
import {
  cloneModel,
  denseTensor,
  elementCount,
  evaluateDim,
  parseModel,
  printModel,
  validateModel,
  type Model,
  type Tensor,
  type ValueInfo,
} from '../src/ir/index.ts';
import { evaluateModel } from '../src/ops/index.ts';
import { runPasses, type Transform } from '../src/rewrite/index.ts';
import * as transforms from '../src/transforms/index.ts';
import { evaluateInOnnxruntime } from './run-onnx.ts';

/**
 * Each file `<transform>.NN.txt`: what it shows, then sections `@@@ options` (JSON, optional), `@@@ before` and
 * `@@@ after`. Where both are the same graph, the transform must leave it alone. UPDATE_FIXTURES=1 rewrites `after`.
 */
const folder = new URL('fixtures/transforms/', import.meta.url);
const files = readdirSync(folder).filter((file) => file.endsWith('.txt'));

const FACTORIES: Readonly<Record<string, (options: never) => Transform>> = {
  eliminateCommonSubexpressions: transforms.eliminateCommonSubexpressions,
  fixBatch: transforms.fixBatch,
  fixDims: transforms.fixDims,
  flattenLinears: transforms.flattenLinears,
  foldConstants: transforms.foldConstants,
  freezeDefaults: transforms.freezeDefaults,
  fuseActivations: transforms.fuseActivations,
  fuseAddLayerNorm: transforms.fuseAddLayerNorm,
  fuseAttention: transforms.fuseAttention,
  fuseChannelsLast: transforms.fuseChannelsLast,
  fuseConv: transforms.fuseConv,
  fuseEmbedLayerNorm: transforms.fuseEmbedLayerNorm,
  fuseGelu: transforms.fuseGelu,
  fuseLayerNorm: transforms.fuseLayerNorm,
  fuseLinear: transforms.fuseLinear,
  fuseLstmCell: transforms.fuseLstmCell,
  fusePad: transforms.fusePad,
  inlineConditions: transforms.inlineConditions,
  inlineFunctions: transforms.inlineFunctions,
  mergeInitializers: transforms.mergeInitializers,
  narrowSequence: transforms.narrowSequence,
  raiseOpset: transforms.raiseOpset,
  removeDeadCode: transforms.removeDeadCode,
  removeIdentity: transforms.removeIdentity,
  resolveAutoPad: transforms.resolveAutoPad,
  simplifyArithmetic: transforms.simplifyArithmetic,
  simplifyHeads: transforms.simplifyHeads,
  simplifyPooling: transforms.simplifyPooling,
  simplifyShapes: transforms.simplifyShapes,
  splitBatchNormalization: transforms.splitBatchNormalization,
  splitConvTranspose: transforms.splitConvTranspose,
  splitEinsum: transforms.splitEinsum,
  splitInstanceNormalization: transforms.splitInstanceNormalization,
  tabulateBytes: transforms.tabulateBytes,
  unifyInputDims: transforms.unifyInputDims,
};

/** What symbolic dimensions are while the outputs are compared; two sequence lengths catch a swapped axis. */
const BINDINGS = [
  new Map([
    ['batch', 2],
    ['seq', 5],
    ['rows', 3],
  ]),
  new Map([
    ['batch', 1],
    ['seq', 1],
    ['rows', 1],
  ]),
];

describe.each(files)('%s', (file) => {
  const fixture = readFixture(file);
  const before = parseModel(fixture.before);
  const transform = createTransform(file, fixture.options);
  const samples = BINDINGS.map((bindings, seed) => sampleInputs(before, bindings, seed));

  it('gives the recorded graph', () => {
    const after = printModel(apply(transform, before).model);
    if (process.env['UPDATE_FIXTURES']) writeFileSync(new URL(file, folder), withAfter(file, after));
    expect(after).toBe(readFixture(file).after);
  });

  it('keeps the graph valid and its outputs', async () => {
    // The reference evaluator knows no model-local functions.
    const evaluate = before.functions.length > 0 ? evaluateInOnnxruntime : evaluateModel;
    const result = await runPasses(before, [transform], { samples, evaluate });
    expect(result.steps.map(({ rolledBack }) => rolledBack)).toEqual([false]);
    expect(validateModel(result.model)).toEqual([]);
    expect(result.steps[0]?.edits === 0).toBe(printModel(before) === printModel(result.model));
  });

  it('changes nothing the second time', () => {
    const { model } = apply(transform, before);
    const again = apply(transform, model);
    expect(again.edits).toBe(0);
    expect(printModel(again.model)).toBe(printModel(model));
  });

  it('survives being written as ONNX', () => {
    const { model } = apply(transform, before);
    expect(listed(readOnnx(writeOnnx(model).bytes))).toBe(listed(model));
  });
});

it('has fixtures for every transform', () => {
  const named = new Set(files.map((file) => file.split('.')[0]));
  expect(named).toEqual(new Set(Object.keys(FACTORIES)));
});

/** All elements: a reader does not know how a tensor was made. */
function listed(model: Model): string {
  const plain = cloneModel(model);
  plain.graph.initializers = new Map(
    [...plain.graph.initializers].map(([name, tensor]) => [name, { ...tensor }]),
  );
  return printModel(plain, { inlineElements: 4096 });
}

function apply(transform: Transform, model: Model): { model: Model; edits: number } {
  const clone = cloneModel(model);
  const { edits } = transform.apply(clone);
  return { model: clone, edits };
}

function createTransform(file: string, options: unknown): Transform {
  const name = file.split('.')[0] ?? '';
  const factory = FACTORIES[name];
  if (factory === undefined) throw new Error(`${file}: there is no transform ${name}`);
  return factory(options as never);
}

interface Fixture {
  readonly options: unknown;
  readonly before: string;
  readonly after: string;
}

function readFixture(file: string): Fixture {
  const [, ...sections] = readFileSync(new URL(file, folder), 'utf8').split(/^@@@ /m);
  const find = (title: string): string | undefined =>
    sections
      .find((section) => section.startsWith(`${title}\n`))
      ?.slice(title.length + 1)
      .trim();
  const [options, before, after] = [find('options'), find('before'), find('after')];
  if (before === undefined) throw new Error(`${file} has no section "@@@ before"`);
  return {
    options: options === undefined ? undefined : JSON.parse(options),
    before: `${before}\n`,
    after: `${after === 'same' ? printModel(parseModel(before)).trim() : (after ?? '')}\n`,
  };
}

function withAfter(file: string, after: string): string {
  const text = readFileSync(new URL(file, folder), 'utf8');
  const kept = text.split(/^@@@ after\n/m)[0]?.trimEnd() ?? '';
  const isSame = after === printModel(parseModel(readFixture(file).before));
  return `${kept}\n\n@@@ after\n${isSame ? 'same\n' : after}`;
}

/** Seeded inputs: masks of 0 and 1 that keep each first key, ids from 0 to 3, floats around 0. */
function sampleInputs(
  { graph }: Model,
  bindings: ReadonlyMap<string, number>,
  seed: number,
): Map<string, Tensor> {
  const random = seededRandom(seed + 1);
  const tensorOf = ({ name, type }: ValueInfo): Tensor => {
    if (type?.kind !== 'tensor' || type.shape === undefined) throw new Error(`${name} needs a shape`);
    const dims = type.shape.map((dim) => evaluateDim(dim, bindings) ?? 1);
    const count = elementCount(dims);
    const width = dims.at(-1) ?? 1;
    const integers = Array.from({ length: count }, (_, i) =>
      name.includes('mask') ? (i % width === 0 ? 1 : random.int(0, 1)) : random.int(0, 3),
    );
    if (type.dtype === 'int64') return denseTensor('int64', dims, BigInt64Array.from(integers, BigInt));
    if (type.dtype === 'bool')
      return denseTensor(
        'bool',
        dims,
        Uint8Array.from(integers, (x) => x % 2),
      );
    return denseTensor('float32', dims, random.normal(count));
  };
  const required = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
  return new Map(required.map((input) => [input.name, tensorOf(input)]));
}
