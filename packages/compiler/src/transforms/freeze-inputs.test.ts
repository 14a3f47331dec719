import { expect, it } from 'vitest';
import { parseModel, printModel } from '../ir/index.ts';
import { freezeInputs } from './freeze-inputs.ts';

const MODEL = `ir 10
opset ai.onnx 17

graph main {
  input x: float32[4]
  input rate: int64[]
  input gain: float32[1]
  r = Cast(rate) to=1
  s = Mul(x, r)
  y = Mul(s, gain)
  output y: float32[4]
}
`;

it('makes constants of settings, of the type and shape of the input', () => {
  const model = parseModel(MODEL);
  const { edits, diagnostics } = freezeInputs({ rate: 16_000, gain: 0.5 }).apply(model);
  expect([edits, diagnostics]).toEqual([2, []]);
  expect(model.graph.inputs.map(({ name }) => name)).toEqual(['x']);
  expect(printModel(model)).toMatch(/constant rate: int64\[\] \{16000\}/);
  expect(printModel(model)).toMatch(/constant gain: float32\[1\] \{0\.5\}/);
});

it('warns of names that no input has', () => {
  expect(freezeInputs({ sr: 1 }).apply(parseModel(MODEL))).toMatchObject({
    edits: 0,
    diagnostics: [{ code: 'unknown-input', hint: 'the inputs are x, rate, gain' }],
  });
});

it.each([
  ['an input of more numbers', { x: 1 }, 'freezeInputs: x does not hold one number'],
  ['a fraction for whole numbers', { rate: 0.5 }, 'freezeInputs: rate cannot be 0.5'],
])('refuses %s', (_, values, message) => {
  expect(() => freezeInputs(values as Record<string, number>).apply(parseModel(MODEL))).toThrow(message);
});

it('refuses what is no number at once', () => {
  expect(() => freezeInputs({ rate: Number.NaN })).toThrow('freezeInputs: rate cannot be NaN');
});
