import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWithAssets, expectTensorClose, sharedAsset } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { readOnnx, writeOnnx } from '../src/import/onnx/index.ts';
import { denseTensor, typedData, type DenseTensor, type Model, type Tensor } from '../src/ir/index.ts';
import { evaluateModel } from '../src/ops/index.ts';
import {
  calibrate,
  linearInputs,
  quantizeEmbeddings,
  quantizeLinears,
  quantizeWeightsInt4,
} from '../src/quantize/index.ts';
import { operatorName, runPasses, type Transform } from '../src/rewrite/index.ts';
import { expandEdgewise, type ExpandEdgewiseOptions } from '../src/targets/onnx/index.ts';
import { compactEncoder } from '../src/transforms/index.ts';
import { canonicalText } from './canonical-text.ts';
import { runOnnx } from './onnxruntime.ts';

/** Rounding of float32 sums in another order, and of onnxruntime's polynomials for erf and exp. */
const TOLERANCE = { abs: 1e-5, rel: 1e-5 };

interface Recorded {
  readonly dims: readonly number[];
  readonly data: readonly number[];
}

interface Export {
  readonly cases: readonly {
    readonly name: string;
    readonly inputs: Readonly<Record<string, Recorded>>;
    readonly torch: Readonly<Record<string, Recorded>>;
  }[];
}

const exportsFolder = new URL('fixtures/exports/', import.meta.url);
const names = (readJson('index.json') as { models: { name: string }[] }).models.map(({ name }) => name);

const WAYS: readonly (ExpandEdgewiseOptions & { readonly label: string })[] = [
  { label: 'com.microsoft', contrib: true },
  { label: 'standard operators', contrib: false },
  { label: 'opset 20', contrib: false, opset: 20 },
];

describe('expandEdgewise: recorded exports in onnxruntime', () => {
  it.each(names)('%s gives what PyTorch gave', async (name) => {
    const { cases } = readJson(`${name}.json`) as Export;
    const compact = await compacted(readFileSync(new URL(`${name}.onnx`, exportsFolder)));
    for (const { label, ...options } of WAYS) {
      const expanded = expandEdgewise(compact, options);
      expect(expanded.graph.nodes.filter(({ domain }) => domain === 'edgewise')).toEqual([]);
      expect(expanded.opsets.has('com.microsoft')).toBe(options.contrib);
      for (const { name: caseName, inputs, torch } of cases) {
        const outputs = await run(expanded, int64Tensors(inputs));
        for (const [output, expected] of Object.entries(torch)) {
          expect(outputs.get(output)?.dims).toEqual(expected.dims);
          expectTensorClose(outputs.get(output)?.data ?? [], expected.data, {
            ...TOLERANCE,
            label: `${label}, ${output}, ${caseName}`,
          });
        }
      }
    }
  });
});

describe('expandEdgewise: read again', () => {
  it.each(['distilbert-legacy-sdpa', 'bert-legacy-eager', 'roberta-legacy-eager'])(
    '%s compacts to the graph it came from',
    async (name) => {
      const compact = await compactedExport(name);
      const { bytes } = writeOnnx(expandEdgewise(compact, { contrib: false }));
      expect(canonicalText(await compacted(bytes))).toBe(canonicalText(compact));
    },
  );
});

describe('expandEdgewise: quantized graphs', () => {
  const source = 'minilm-legacy-sdpa';
  const recorded = (readJson(`${source}.json`) as Export).cases.map(({ inputs }) => int64Tensors(inputs));

  it('static: the numbers of the reference evaluation', async () => {
    const compact = await compactedExport(source);
    const ranges = await calibrate(
      compact,
      (sample, want, emit) => {
        for (const [value, tensor] of evaluateModel(compact, sample, { want })) emit(value, tensor);
      },
      recorded,
    );
    for (const pass of [
      quantizeLinears({ weightBits: 7, activations: 'static', ranges }),
      quantizeLinears({ weightBits: 8, activations: 'static', ranges }),
      quantizeWeightsInt4({ activations: 'static', ranges }),
    ]) {
      // One ulp before a rounding moves a whole step of the activation grid now and then.
      await expectSame(compact, [pass], recorded, 0.02);
    }
  });

  it('dynamic on one token: per row is per tensor', async () => {
    const inputs = { input_ids: [7], attention_mask: [1], token_type_ids: [0] };
    const one = int64Tensors(
      Object.fromEntries(Object.entries(inputs).map(([name, data]) => [name, { dims: [1, 1], data }])),
    );
    const compact = await compactedExport(source);
    for (const pass of [quantizeLinears({ weightBits: 7 }), quantizeWeightsInt4({ computeBits: 8 })])
      await expectSame(compact, [pass], [one], 0.02);
  });

  it.each([4, 8] as const)('embeddings in %i bits', async (bits) => {
    for (const name of [source, 'roberta-legacy-sdpa']) {
      const cases = (readJson(`${name}.json`) as Export).cases.map(({ inputs }) => int64Tensors(inputs));
      await expectSame(
        await compactedExport(name),
        [quantizeEmbeddings({ bits, positionBits: bits })],
        cases,
        1e-5,
      );
    }
  });

  it('onnxruntime fuses what was written for it', async () => {
    const compact = await compactedExport(source);
    const ranges = new Map(linearInputs(compact).map((value) => [value, { min: -3, max: 3 }]));
    // Two layers of six matrices. Those of q, k and v share one quantization.
    const dynamic = await fusedOperators(compact, quantizeLinears());
    expect(pick(dynamic, 'DynamicQuantizeLinear', 'MatMulIntegerToFloat', 'DynamicQuantizeMatMul')).toEqual([
      2, 6, 6,
    ]);
    expect(pick(dynamic, 'MatMul', 'MatMulInteger', 'Erf', 'LayerNormalization')).toEqual([0, 0, 0, 1]);
    expect(pick(dynamic, 'MultiHeadAttention', 'Gelu', 'SkipLayerNormalization')).toEqual([2, 2, 4]);
    const fixed = await fusedOperators(compact, quantizeLinears({ activations: 'static', ranges }));
    expect(pick(fixed, 'MatMulIntegerToFloat', 'MatMul')).toEqual([12, 0]);
  });
});

describe('expandEdgewise', () => {
  it('leaves its input alone', async () => {
    const compact = await compactedExport('bert-legacy-sdpa');
    const before = compact.graph.nodes.map(operatorName);
    expandEdgewise(compact);
    expect(compact.graph.nodes.map(operatorName)).toEqual(before);
    expect(compact.opsets.get('edgewise')).toBe(1);
  });

  it('refuses with all reasons', async () => {
    const compact = await compactedExport('bert-legacy-sdpa');
    expect(() => expandEdgewise(compact, { opset: 16 })).toThrow(/opset must be 17 or more, got 16/);
    const node = (opType: string, domain: string) => ({
      name: `my ${opType}`,
      opType,
      domain,
      inputs: ['x'],
      outputs: ['y'],
      attributes: new Map(),
    });
    const broken: Model = {
      ...compact,
      opsets: new Map([['', 12]]),
      graph: {
        ...compact.graph,
        nodes: [node('Softmax', ''), node('Teleport', 'edgewise'), node('Relu', '')],
      },
    };
    const problems = (() => {
      try {
        expandEdgewise(broken);
      } catch (error) {
        return (error as { diagnostics: { code: string; at: unknown }[] }).diagnostics;
      }
      return [];
    })();
    expect(problems.map(({ code, at }) => ({ code, at }))).toEqual([
      { code: 'opset-change', at: { node: 'my Softmax' } },
      { code: 'unsupported-op', at: { node: 'my Teleport' } },
    ]);
  });
});

describe.each(['sst2-tiny', 'sst2-base'])('expandEdgewise on %s', (name) => {
  describeWithAssets(`the trained model ${name}`, `own/${name}/model.onnx`, () => {
    it('the compact graph gives the original outputs in onnxruntime', async () => {
      const bytes = readFileSync(sharedAsset(`own/${name}/model.onnx`));
      const original = readOnnx(bytes);
      const compact = await compacted(bytes);
      for (const length of [1, 23, 128]) {
        const ids = Array.from({ length }, (_, i) => 5 + ((i * 997) % 8000));
        const mask = ids.map((_, i) => (i < length - length / 4 ? 1 : 0));
        const inputs = int64Tensors({
          input_ids: { dims: [1, length], data: ids },
          attention_mask: { dims: [1, length], data: mask },
        });
        const expected = await run(original, inputs);
        for (const { label, ...options } of WAYS) {
          const actual = await run(expandEdgewise(compact, options), inputs);
          expectTensorClose(actual.get('logits')?.data ?? [], expected.get('logits')?.data ?? [], {
            ...TOLERANCE,
            label: `${label}, ${length} tokens`,
          });
        }
      }
    });
  });
});

/** Applies the passes, then compares onnxruntime on the expansion with the reference evaluation. */
async function expectSame(
  compact: Model,
  passes: readonly Transform[],
  samples: readonly Map<string, DenseTensor>[],
  abs: number,
): Promise<void> {
  const { model, steps } = await runPasses(compact, passes);
  expect(steps.every(({ edits }) => edits > 0)).toBe(true);
  for (const inputs of samples) {
    const reference = evaluateModel(model, inputs);
    const actual = await run(expandEdgewise(model), inputs);
    for (const [output, tensor] of reference)
      expectTensorClose(actual.get(output)?.data ?? [], floats(tensor), { abs, rel: 1e-5, label: output });
  }
}

/** How often each operator occurs after onnxruntime's own optimizations. */
async function fusedOperators(compact: Model, pass: Transform): Promise<Map<string, number>> {
  const { model } = await runPasses(compact, [pass]);
  const folder = mkdtempSync(join(tmpdir(), 'edgewise-'));
  const optimizedModelFilePath = join(folder, 'optimized.onnx');
  try {
    const outcome = await runOnnx(writeOnnx(expandEdgewise(model)).bytes, undefined, {
      graphOptimizationLevel: 'all',
      optimizedModelFilePath,
    });
    expect(outcome).toEqual({ outputs: {} });
    const counts = new Map<string, number>();
    for (const { opType } of readOnnx(readFileSync(optimizedModelFilePath)).graph.nodes)
      counts.set(opType, (counts.get(opType) ?? 0) + 1);
    return counts;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function pick(counts: ReadonlyMap<string, number>, ...operators: readonly string[]): number[] {
  return operators.map((operator) => counts.get(operator) ?? 0);
}

async function run(
  model: Model,
  inputs: ReadonlyMap<string, DenseTensor>,
): Promise<Map<string, { dims: readonly number[]; data: Float32Array }>> {
  const names = new Set(model.graph.inputs.map((input) => input.name));
  const feeds = new Map([...inputs].filter(([name]) => names.has(name)));
  const outcome = await runOnnx(writeOnnx(model).bytes, feeds, { graphOptimizationLevel: 'all' });
  if ('failure' in outcome) throw new Error(`onnxruntime: ${outcome.stage}: ${outcome.failure}`);
  return new Map(
    Object.entries(outcome.outputs).map(([name, { dims, data }]) => [
      name,
      { dims, data: data as Float32Array },
    ]),
  );
}

async function compacted(bytes: Uint8Array): Promise<Model> {
  return (await runPasses(readOnnx(bytes), compactEncoder())).model;
}

async function compactedExport(name: string): Promise<Model> {
  return compacted(readFileSync(new URL(`${name}.onnx`, exportsFolder)));
}

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, exportsFolder), 'utf8'));
}

function int64Tensors(inputs: Readonly<Record<string, Recorded>>): Map<string, DenseTensor> {
  return new Map(
    Object.entries(inputs).map(([name, { dims, data }]) => [
      name,
      denseTensor('int64', dims, BigInt64Array.from(data, BigInt)),
    ]),
  );
}

function floats(tensor: Tensor | undefined): Float32Array {
  if (tensor?.kind !== 'dense' || tensor.dtype !== 'float32') throw new Error('expected a float32 output');
  return typedData({ ...tensor, dtype: 'float32' });
}
