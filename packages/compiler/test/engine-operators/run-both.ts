import { expect } from 'vitest';
import { writeOnnx } from '../../src/import/onnx/index.ts';
import { expandEdgewise } from '../../src/targets/index.ts';
import { engineOutputs, noiseFor, onnxOutputs, parseGraph, type Output } from '../engine-graphs.ts';

/** The only output, y, of a small graph around an operator, from the engine and from onnxruntime. */
export async function runBoth(body: string): Promise<{ actual: Output; expected: Output }> {
  const model = parseGraph(body);
  const feeds = noiseFor(model);
  const outputs = await onnxOutputs(writeOnnx(expandEdgewise(model)).bytes, feeds);
  const expected = outputs.get('y')!;
  // Constants would agree with much.
  expect(new Set(expected.data).size).toBeGreaterThan(Math.min(20, expected.data.length / 2));
  return { actual: (await engineOutputs(model, feeds)).get('y')!, expected };
}
