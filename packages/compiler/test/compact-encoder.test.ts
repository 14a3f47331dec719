import { readFileSync } from 'node:fs';
import { describeWithAssets, expectTensorClose, sharedAsset } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { readOnnx } from '../src/import/onnx/index.ts';
import { denseTensor, typedData, type Dim, type Model, type Tensor } from '../src/ir/index.ts';
import { evaluateModel, inferTypes } from '../src/ops/index.ts';
import { operatorName, runPasses } from '../src/rewrite/index.ts';
import { compactEncoder, fixDims, narrowSequence } from '../src/transforms/index.ts';
import { canonicalText } from './canonical-text.ts';

// Random weights of about 0.02 to 1 and two layers: the outputs are near 0.1, so float32 rounding in another order stays
// far below this.
const TOLERANCE = { abs: 1e-5, rel: 1e-5 };

interface Recorded {
  readonly dims: readonly number[];
  readonly data: readonly number[];
}

interface Export {
  readonly name: string;
  readonly config: { readonly hidden_size?: number; readonly dim?: number };
  readonly cases: readonly {
    readonly name: string;
    readonly inputs: Readonly<Record<string, Recorded>>;
    readonly onnxruntime: Readonly<Record<string, Recorded>>;
    readonly torch: Readonly<Record<string, Recorded>>;
  }[];
}

const exportsFolder = new URL('fixtures/exports/', import.meta.url);
const names = (readJson('index.json') as { models: { name: string }[] }).models.map(({ name }) => name);

describe('compactEncoder on recorded PyTorch exports', () => {
  const texts = new Map<string, Map<string, string>>();

  it.each(names)('%s: same outputs, every pass checked', async (name) => {
    const { cases, config } = readJson(`${name}.json`) as Export;
    const model = readExport(name);
    const samples = cases.map(({ inputs }) => int64Tensors(inputs));
    const result = await runPasses(model, compactEncoder(), { samples, evaluate: evaluateModel });

    expect(result.diagnostics).toEqual([]);
    for (const [index, sample] of samples.entries()) {
      const outputs = evaluateModel(result.model, sample);
      for (const reference of ['onnxruntime', 'torch'] as const) {
        for (const [output, expected] of Object.entries(cases[index]?.[reference] ?? {})) {
          const actual = outputs.get(output);
          expect(actual?.dims).toEqual(expected.dims);
          expectTensorClose(floats(actual), expected.data, {
            ...TOLERANCE,
            label: `${output} against ${reference}, ${cases[index]?.name}`,
          });
        }
      }
    }
    const architecture = `${architectureOf(name)} of width ${config.hidden_size ?? config.dim}`;
    const group = texts.get(architecture) ?? new Map<string, string>();
    texts.set(architecture, group.set(name, canonicalText(result.model)));
  });

  it('gives one graph per architecture, whatever the exporter', () => {
    expect(texts.size).toBeGreaterThan(5);
    expect(texts.size).toBeLessThan(names.length / 3);
    for (const group of texts.values()) {
      const [first] = group.values();
      const others = [...group].filter(([, text]) => text !== first);
      expect(others.map(([name, text]) => `${name}\n${text}`)).toEqual([]);
    }
  });
});

describe('compactEncoder after fixDims', () => {
  it.each([
    'bert-cls-legacy-sdpa',
    'distilbert-dynamo-eager',
    'minilm-tf5-dynamo-sdpa',
    'roberta-tf5-legacy-sdpa',
  ])('%s: the same graph for one sentence of 7 tokens', async (name) => {
    const model = readExport(name);
    const fixed = [fixDims({ batch_size: 1, sequence_length: 7 }), ...compactEncoder()];
    const [a, b] = [await runPasses(model, compactEncoder()), await runPasses(model, fixed)];
    expect(b.diagnostics).toEqual([]);
    expect(canonicalText(b.model)).toBe(canonicalText(a.model));
  });
});

describe('compactEncoder on inputs without common dimensions', () => {
  const shapes: Readonly<Record<string, (index: number) => readonly Dim[]>> = {
    'symbols of their own': (index) => [`unk__${2 * index}`, `unk__${2 * index + 1}`],
    'nothing known': () => [null, null],
  };

  it.each(Object.keys(shapes))('%s: the same graph', async (kind) => {
    for (const name of ['bert-cls-legacy-sdpa', 'distilbert-legacy-eager', 'roberta-tf5-dynamo-sdpa']) {
      const model = readExport(name);
      const expected = canonicalText((await runPasses(model, compactEncoder())).model);
      model.graph.inputs = model.graph.inputs.map((info, index) =>
        info.type?.kind === 'tensor'
          ? { ...info, type: { ...info.type, shape: shapes[kind]?.(index) ?? [] } }
          : info,
      );
      model.graph.valueInfo.clear();
      const result = await runPasses(model, compactEncoder());
      expect(canonicalText(result.model)).toBe(expected);
    }
  });
});

describe('narrowSequence after compactEncoder', () => {
  it.each(['bert-cls-legacy-eager', 'distilbert-dynamo-sdpa', 'roberta-tf5-dynamo-sdpa'])(
    '%s: the last layer computes one row, with the same outputs',
    async (name) => {
      const { cases } = readJson(`${name}.json`) as Export;
      const samples = cases.map(({ inputs }) => int64Tensors(inputs));
      const passes = [...compactEncoder(), narrowSequence()];
      const result = await runPasses(readExport(name), passes, { samples, evaluate: evaluateModel });
      expect(result.diagnostics).toEqual([]);
      expect(result.steps.at(-1)?.edits).toBeGreaterThan(5);
      const { types } = inferTypes(result.model);
      const attentions = result.model.graph.nodes.filter((node) => node.opType === 'Attention');
      const rows = attentions.map((node) => types.get(node.inputs[0] ?? '')?.shape?.[1]);
      expect(rows).toEqual(['sequence_length', 1]);
    },
  );
});

describe.each(['sst2-tiny', 'sst2-base'])('compactEncoder on %s', (name) => {
  describeWithAssets(`the trained model ${name}`, `own/${name}/model.onnx`, () => {
    it('leaves only operators of the compact graph', async () => {
      const { model } = await runPasses(loadAsset(`own/${name}/model.onnx`), compactEncoder());
      const layers = model.graph.nodes.filter((node) => node.opType === 'Attention').length;
      const layer = ['Linear', 'Linear', 'Linear', 'Attention', 'Linear', 'AddLayerNorm'];
      layer.push('Linear gelu', 'Linear', 'AddLayerNorm');
      expect(model.graph.nodes.map(describeNode)).toEqual([
        'EmbedLayerNorm',
        ...Array.from({ length: layers }, () => layer).flat(),
        'Gather',
        'Linear relu',
        'Linear',
      ]);
      expect(layers).toBe({ 'sst2-tiny': 4, 'sst2-base': 6 }[name]);
    });
  });
});

/** `bert-cls-tf5-legacy-eager-opset13` is another export of `bert-cls`. */
function architectureOf(name: string): string {
  return name.replace(/(-tf5)?-(legacy|dynamo)-(eager|sdpa)(-opset\d+)?$/, '');
}

function describeNode(node: Model['graph']['nodes'][number]): string {
  const activation = node.attributes.get('activation');
  const text = activation?.kind === 'string' ? new TextDecoder().decode(activation.value) : 'none';
  const name = operatorName(node).replace('edgewise.', '');
  return text === 'none' ? name : `${name} ${text}`;
}

function readExport(name: string): Model {
  return readOnnx(readFileSync(new URL(`${name}.onnx`, exportsFolder)));
}

function loadAsset(path: string): Model {
  return readOnnx(readFileSync(sharedAsset(path)));
}

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, exportsFolder), 'utf8'));
}

function int64Tensors(inputs: Readonly<Record<string, Recorded>>): Map<string, Tensor> {
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
