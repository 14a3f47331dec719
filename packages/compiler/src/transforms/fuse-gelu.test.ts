import { describe, expect, it } from 'vitest';
import { parseModel, printGraph } from '../ir/index.ts';
import { fuseGelu } from './fuse-gelu.ts';

/** The nodes after fusing, as text; the reference evaluator has no com.microsoft operators, so no fixtures. */
function fused(body: string): string[] {
  const model = parseModel(
    `ir 10\nopset ai.onnx 17\nopset com.microsoft 1\n\ngraph main {\n  input x: float32[b,4]\n${body}\n  output y\n}\n`,
  );
  fuseGelu().apply(model);
  return printGraph(model.graph)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.includes(' = '));
}

describe('fuseGelu on com.microsoft operators', () => {
  it.each([
    ['  y = com.microsoft.Gelu(x)', ['y = edgewise.Gelu(x) approximate="none"']],
    ['  y = com.microsoft.FastGelu(x)', ['y = edgewise.Gelu(x) approximate="tanh"']],
    ['  y = com.microsoft.FastGelu(x, _)', ['y = edgewise.Gelu(x) approximate="tanh"']],
    [
      '  constant c: float32[4] fill(1)\n  y = com.microsoft.BiasGelu(x, c)',
      ['y.biased = Add(x, c)', 'y = edgewise.Gelu(y.biased) approximate="none"'],
    ],
    [
      '  constant c: float32[4] fill(1)\n  y = com.microsoft.FastGelu(x, c)',
      ['y.biased = Add(x, c)', 'y = edgewise.Gelu(y.biased) approximate="tanh"'],
    ],
    ['  y = com.microsoft.QuickGelu(x)', ['y = com.microsoft.QuickGelu(x)']],
  ])('%s', (body, expected) => {
    expect(fused(body)).toEqual(expected);
  });
});
