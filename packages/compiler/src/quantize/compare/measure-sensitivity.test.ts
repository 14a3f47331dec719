import { seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { float32Tensor, parseModel, typedData, type Model, type Tensor } from '../../ir/index.ts';
import { evaluateModel } from '../../ops/index.ts';
import { measureSensitivity, type MeasureSensitivityOptions } from './measure-sensitivity.ts';
import { quantizeLinears } from '../linears/quantize-linears.ts';

/** What `small` makes is multiplied by a thousandth before it is added: its noise does not matter. */
const FLOAT = parseModel(`ir 8
opset ai.onnx 18
opset edgewise 1

graph main {
  input x: float32[1,4,16]
  constant w1: float32[16,8] random(1)
  constant w2: float32[16,8] random(2)
  constant w3: float32[8,3] random(3)
  constant share: float32[] {0.001}
  a = edgewise.Linear(x, w1) activation="none"
  b = edgewise.Linear(x, w2) activation="none"
  c = Mul(b, share)
  d = Add(a, c)
  y = edgewise.Linear(d, w3) activation="none"
  output y: float32[1,4,3]
}`);

const SAMPLE = new Map<string, Tensor>([['x', float32Tensor([1, 4, 16], seededRandom(4).normal(64))]]);

async function outputsOf(model: Model): Promise<Float32Array> {
  const y = evaluateModel(model, SAMPLE).get('y') as Tensor & { kind: 'dense'; dtype: 'float32' };
  return typedData(y);
}

const options: MeasureSensitivityOptions = { float: FLOAT, quantize: quantizeLinears, outputsOf };

describe('measureSensitivity', () => {
  it('quantizes one layer at a time, in order, and tells what matters for the outputs', async () => {
    const progress: string[] = [];
    const onProgress = (done: number, total: number): void => void progress.push(`${done}/${total}`);
    const found = await measureSensitivity({ ...options, onProgress });
    expect(found.map(({ layer }) => layer)).toEqual(['a', 'b', 'y']);
    expect(found.map(({ bits, weights }) => [bits, weights])).toEqual([
      [7, 128],
      [7, 128],
      [7, 24],
    ]);
    expect(progress).toEqual(['1/3', '2/3', '3/3']);
    const [a, b, y] = found.map(({ signalToNoiseDb }) => signalToNoiseDb);
    // 7-bit weights and 8-bit activations: some 35 to 45 dB each; a thousandth is 60 dB less.
    for (const db of [a!, y!]) expect(Math.abs(db - 40)).toBeLessThan(8);
    expect(b! - a!).toBeGreaterThan(50);
    expect(b! - a!).toBeLessThan(70);
  });

  it('asks what each model loses of a metric', async () => {
    const asked: Model[] = [];
    const dropOf = (model: Model): Promise<number> => Promise.resolve(asked.push(model) / 100);
    const found = await measureSensitivity({ ...options, dropOf });
    expect(found.map(({ drop }) => drop)).toEqual([0.01, 0.02, 0.03]);
    for (const [at, { graph }] of asked.entries()) {
      const layers = graph.nodes.filter(({ opType }) => opType.endsWith('Linear'));
      expect(layers.map(({ opType }) => opType === 'QuantizedLinear')).toEqual(
        [0, 1, 2].map((layer) => layer === at),
      );
    }
  });

  it('gives 120 dB to what changes nothing, and stops when it is told to', async () => {
    const still = await outputsOf(FLOAT);
    const same = await measureSensitivity({ ...options, outputsOf: () => Promise.resolve(still) });
    expect(same.map(({ signalToNoiseDb }) => signalToNoiseDb)).toEqual([120, 120, 120]);
    const signal = AbortSignal.abort();
    await expect(measureSensitivity({ ...options, signal })).rejects.toThrow(/stopped after 0 of 3 layers/);
  });
});
