import { createSession } from '@edgewise/runtime/node';
import { expectTensorClose } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { writeOnnx } from '../src/import/onnx/index.ts';
import {
  parseModel,
  randomTensor,
  typedData,
  validateModel,
  type DenseTensor,
  type Model,
} from '../src/ir/index.ts';
import { evaluateModel, inferTypes } from '../src/ops/index.ts';
import { quantizeLstms, type LayerEffect } from '../src/quantize/index.ts';
import { runPasses } from '../src/rewrite/index.ts';
import { buildPackage, compileEdge } from '../src/targets/index.ts';
import { runOnnx } from './onnxruntime.ts';

const network = (steps: number, directions = 1, more = ''): Model =>
  parseModel(`ir 8
opset ai.onnx 18

graph main {
  input x: float32[${steps},1,6]
  input h: float32[${directions},1,8]
  input c: float32[${directions},1,8]
  constant w: float32[${directions},32,6] random(1)
  constant r: float32[${directions},32,8] random(2)
  constant b: float32[${directions},64] random(3)
  y, yh, yc = LSTM(x, w, r, b, _, h, c) hidden_size=8 ${more} @layer
  output y: float32[${steps},${directions},1,8]
  output yh: float32[${directions},1,8]
  output yc: float32[${directions},1,8]
}
`);

const feedsOf = ({ graph }: Model): Map<string, DenseTensor> =>
  new Map(
    graph.inputs.map(({ name, type }, index) => {
      const dims = type?.kind === 'tensor' ? (type.shape as number[]) : [];
      return [name, randomTensor('float32', dims, 10 + index)];
    }),
  );

const numbers = (tensor: unknown): Float32Array => typedData(tensor as DenseTensor & { dtype: 'float32' });

describe('quantizeLstms', () => {
  // With 8 bits onnxruntime's kernel saturates the sums of two products on x86 without VNNI, whatever the session asks for.
  it('weights in 7 bits: what onnxruntime computes of one step', async () => {
    const weightBits = 7;
    const layers: LayerEffect[] = [];
    const onLayer = (layer: LayerEffect): void => void layers.push(layer);
    const { model } = await runPasses(network(1), [quantizeLstms({ weightBits, onLayer })]);
    expect(validateModel(model)).toEqual([]);
    expect(layers.map(({ layer, weight, bits }) => [layer, weight, bits])).toEqual([
      ['layer', 'w', weightBits],
      ['layer', 'r', weightBits],
    ]);
    const feeds = feedsOf(model);
    const outcome = await runOnnx(writeOnnx(model).bytes, feeds);
    if ('failure' in outcome) throw new Error(outcome.failure);
    const own = evaluateModel(model, feeds);
    for (const [name, { dims, data }] of Object.entries(outcome.outputs)) {
      expect(inferTypes(model).types.get(name)).toMatchObject({ shape: dims });
      expectTensorClose(numbers(own.get(name)), data as Float32Array, { abs: 2e-6, rel: 2e-6 });
    }
  });

  it('is close to the float layer, both ways along a sequence, and not the same', async () => {
    const float = network(5, 2, 'direction="bidirectional"');
    const { model } = await runPasses(float, [quantizeLstms({ weightBits: 8 })]);
    const feeds = feedsOf(float);
    const [before, after] = [evaluateModel(float, feeds), evaluateModel(model, feeds)];
    for (const { name } of float.graph.outputs) {
      expectTensorClose(numbers(after.get(name)), numbers(before.get(name)), { abs: 0.02, rel: 0 });
      expect(numbers(after.get(name))).not.toEqual(numbers(before.get(name)));
    }
  });

  it('leaves layers with peepholes and computed weights alone, and refuses other bits', async () => {
    const model = parseModel(`ir 8
opset ai.onnx 18

graph main {
  input x: float32[1,1,6]
  input w: float32[1,32,6]
  constant r: float32[1,32,8] random(2)
  y = LSTM(x, w, r) hidden_size=8
  output y
}
`);
    const { model: after } = await runPasses(model, [quantizeLstms()]);
    expect(after.graph.nodes.map(({ opType }) => opType)).toEqual(['LSTM']);
    expect(() => quantizeLstms({ weightBits: 4 as 8 })).toThrow('weightBits must be 7 or 8, got 4');
  });
});

describe('on the engine', () => {
  it.each([7, 8] as const)(
    'weights in %i bits: what the reference evaluator computes',
    async (weightBits) => {
      for (const float of [network(1), network(5), network(4, 2, 'direction="bidirectional"')]) {
        const { model } = await runPasses(float, [quantizeLstms({ weightBits })]);
        const feeds = feedsOf(model);
        const expected = evaluateModel(model, feeds);
        const { model: edge, files } = compileEdge(model);
        const description = { name: 'test', task: 'test' };
        const packaged = await buildPackage({ description, model: edge, files });
        const inputs = Object.fromEntries([...feeds].map(([name, tensor]) => [name, numbers(tensor)]));
        for (const options of [
          { rung: 'relaxed', threads: 1 },
          { rung: 'simd', threads: 2 },
        ] as const) {
          const session = await createSession(packaged, options);
          const outputs = await session.run(inputs);
          session.dispose();
          for (const { name } of model.graph.outputs)
            expectTensorClose(outputs[name]!.data, numbers(expected.get(name)), { abs: 3e-6, rel: 3e-6 });
        }
      }
    },
  );

  it('refuses weights with zero points', () => {
    const model = parseModel(`ir 8
opset ai.onnx 18
opset com.microsoft 1

graph main {
  input x: float32[1,1,6]
  constant w: int8[1,6,32] random(1)
  constant r: int8[1,8,32] random(2)
  constant s: float32[1] {0.01}
  constant z: int8[1] {3}
  y = com.microsoft.DynamicQuantizeLSTM(x, w, r, _, _, _, _, _, s, z, s, z) hidden_size=8
  output y
}
`);
    expect(() => compileEdge(model)).toThrow('weights that are not int8 with zero points of 0');
  });
});
