import { describe, expect, it } from 'vitest';
import { float32Tensor, parseModel, printModel, type Model } from '../ir/index.ts';
import { evaluateModel } from '../ops/index.ts';
import { runPasses } from './run-passes.ts';
import { defineTransform, LOSSLESS, type Transform } from './transform.ts';

const MODEL = parseModel(`ir 10
opset ai.onnx 17

graph main {
  input x: float32[2]
  constant one: float32[1] {1}
  y = Add(x, one)
  output y: float32[2]
}
`);
const samples = [new Map([['x', float32Tensor([2], [1, 2])]]), new Map([['x', float32Tensor([2], [0, -1])]])];
const checked = { samples, evaluate: evaluateModel };

/** Replaces the constant: changes the outputs by `value` − 1. */
function setConstant(value: number, tolerance = LOSSLESS): Transform {
  return defineTransform({
    name: 'setConstant',
    description: 'for tests',
    tolerance,
    apply: (model) => {
      model.graph.initializers.set('one', float32Tensor([1], [value]));
      return { edits: 1 };
    },
  });
}

const renameOperator = (opType: string): Transform =>
  defineTransform({
    name: 'renameOperator',
    description: 'for tests',
    tolerance: LOSSLESS,
    apply: (model) => {
      model.graph.nodes = model.graph.nodes.map((node) => ({ ...node, opType }));
      return { edits: 1 };
    },
  });

const breakGraph = defineTransform({
  name: 'breakGraph',
  description: 'for tests',
  tolerance: LOSSLESS,
  apply: (model: Model) => {
    model.graph.nodes = [];
    return { edits: 1 };
  },
});

describe('runPasses', () => {
  it('leaves its input alone and counts edits', async () => {
    const before = printModel(MODEL);
    const result = await runPasses(MODEL, [setConstant(3)]);
    expect(printModel(MODEL)).toBe(before);
    expect(printModel(result.model)).toContain('{3}');
    expect(result.steps).toEqual([{ name: 'setConstant', edits: 1, error: 0, rolledBack: false }]);
  });

  it('rolls back a pass that leaves its tolerance and goes on', async () => {
    const small = setConstant(1.0001, { absolute: 0.001, relative: 0 });
    const { model, steps, diagnostics } = await runPasses(MODEL, [setConstant(3), small], checked);
    expect(steps.map(({ rolledBack }) => rolledBack)).toEqual([true, false]);
    expect(steps[0]?.error).toBe(2);
    expect(steps[1]?.error).toBeCloseTo(0.0001, 6);
    expect(printModel(model)).toContain('{1.0001}');
    expect(diagnostics.map(({ code, at }) => [code, at?.value])).toEqual([['pass-rolled-back', 'y']]);
    expect(diagnostics[0]?.message).toBe(
      "setConstant was undone: on sample 0, output 'y' element 0 is 4 instead of 2",
    );
  });

  it('compares with the model before the pass, so that steps inside the tolerance may add up', async () => {
    const tolerance = { absolute: 0.6, relative: 0 };
    const { steps } = await runPasses(
      MODEL,
      [setConstant(1.5, tolerance), setConstant(2, tolerance)],
      checked,
    );
    expect(steps.map(({ rolledBack }) => rolledBack)).toEqual([false, false]);
  });

  it('adds the noise of the evaluator to every tolerance', async () => {
    const noise = { absolute: 2.5, relative: 0 };
    const { steps } = await runPasses(MODEL, [setConstant(3)], { ...checked, noise });
    expect(steps[0]?.rolledBack).toBe(false);
  });

  it('rolls back an invalid graph and one that does not run', async () => {
    const passes = [breakGraph, renameOperator('NoSuchOperator'), renameOperator('Concat')];
    const { model, diagnostics } = await runPasses(MODEL, passes, checked);
    expect(printModel(model)).toBe(printModel(MODEL));
    expect(diagnostics.map(({ code }) => code)).toEqual(Array(3).fill('pass-rolled-back'));
    expect(diagnostics[0]?.message).toContain('invalid graph');
    expect(diagnostics[1]?.message).toContain('does not run');
  });

  it('counts NaN in the place of a number as a failure, and NaN for NaN as equal', async () => {
    const { steps } = await runPasses(MODEL, [setConstant(NaN), setConstant(NaN)], checked);
    expect(steps.map(({ rolledBack }) => rolledBack)).toEqual([true, true]);
    const nan = { samples: [new Map([['x', float32Tensor([2], [NaN, 0])]])], evaluate: evaluateModel };
    expect((await runPasses(MODEL, [setConstant(1)], nan)).steps[0]?.rolledBack).toBe(false);
  });

  it('stops after a pass, by name or by count, for bisecting', async () => {
    const passes = [setConstant(2), renameOperator('Mul'), setConstant(3)];
    const byName = await runPasses(MODEL, passes, { stopAfter: 'renameOperator' });
    expect(byName.steps).toHaveLength(2);
    expect((await runPasses(MODEL, passes, { stopAfter: 0 })).steps).toEqual([]);
    await expect(runPasses(MODEL, passes, { stopAfter: 'nothing' })).rejects.toMatchObject({
      code: 'bad-option',
      hint: 'the passes are setConstant, renameOperator',
    });
    await expect(runPasses(MODEL, passes, { stopAfter: -1 })).rejects.toMatchObject({ code: 'bad-option' });
  });

  it('reports progress and time, and stops when asked to', async () => {
    const seen: string[] = [];
    const controller = new AbortController();
    let clock = 0;
    const run = runPasses(MODEL, [setConstant(2), setConstant(3)], {
      now: () => (clock += 5),
      signal: controller.signal,
      onProgress: ({ pass, index, count }) => {
        seen.push(`${pass} ${index + 1}/${count}`);
        if (index === 0) controller.abort();
      },
    });
    await expect(run).rejects.toMatchObject({ code: 'aborted' });
    expect(seen).toEqual(['setConstant 1/2']);
    const timed = await runPasses(MODEL, [setConstant(2)], { now: () => (clock += 5) });
    expect(timed.steps[0]?.ms).toBe(5);
  });

  it('needs an evaluator for samples', async () => {
    await expect(runPasses(MODEL, [], { samples })).rejects.toMatchObject({ code: 'bad-option' });
  });
});

describe('defineTransform', () => {
  it('checks names and tolerances', () => {
    const apply = (): { edits: number } => ({ edits: 0 });
    const base = { description: '', tolerance: LOSSLESS, apply };
    expect(() => defineTransform({ ...base, name: 'Fuse-Things' })).toThrow(/camelCase/);
    const tolerance = { absolute: -1, relative: 0 };
    expect(() => defineTransform({ ...base, name: 'fuse', tolerance })).toThrow(/0 or more/);
  });
});
