import { describe, expect, it } from 'vitest';
import { planMemory } from './plan-memory.ts';
import type { Program, Step } from '../program/program.ts';
import { tileHeights } from '../kernels/index.ts';
import { blockSizes, scheduleSteps } from './schedule.ts';
import { valueBytes, type Rows, type Value, type ValueKind } from '../program/value.ts';

const COLUMNS = 24;
const weight = { kind: 'float32', k: COLUMNS, n: COLUMNS, panels: 0, bias: 0 } as const;

/** input → x; x → q, keys, values; attention → y; y + x → output. */
function attentionProgram(): { program: Program; values: Record<string, Value> } {
  const values = {
    ids: value('ids', 'int'),
    x: value('x'),
    q: value('q'),
    k: value('k'),
    keys: value('keys', 'keys'),
    values: value('values', 'values'),
    bias: value('bias', 'key-bias'),
    y: value('y'),
    output: value('output'),
  };
  const { ids, x, q, k, keys, bias, y, output } = values;
  const steps: Step[] = [
    { op: 'activation', x: ids, activation: 'relu', output: x },
    { op: 'linear', x, weight, activation: 'none', output: q },
    { op: 'linear', x, weight, activation: 'none', output: k },
    { op: 'linear', x, weight, activation: 'none', output: values.values },
    { op: 'pack-keys', x: k, heads: 3, output: keys },
    { op: 'key-bias', mask: undefined, output: bias },
    { op: 'attention', query: q, keys, values: values.values, keyBias: bias, heads: 3, scale: 1, output: y },
    { op: 'binary', operator: 'add', a: { value: y }, b: { value: x }, output },
  ];
  const program: Program = {
    maxSequence: 64,
    inputs: [{ name: 'ids', value: ids, shape: [1, 'sequence'], default: undefined }],
    outputs: [{ name: 'output', value: output, shape: [1, 'sequence', COLUMNS] }],
    steps,
  };
  return { program, values };
}

function value(name: string, kind: ValueKind = 'float', rows: Rows = 'sequence'): Value {
  return { name, kind, rows, columns: COLUMNS };
}

describe('scheduleSteps', () => {
  it('waits once before an attention and not after it', () => {
    const { program } = attentionProgram();
    const levels = scheduleSteps(program.steps);
    const ops = levels.map((level) => level.map(({ rows, steps }) => [rows, ...steps.map(({ op }) => op)]));
    expect(ops).toEqual([
      [
        ['sequence', 'activation', 'linear', 'linear', 'linear', 'pack-keys'],
        [1, 'key-bias'],
      ],
      [['sequence', 'attention', 'binary']],
    ]);
  });

  it('waits before a picked row', () => {
    const x = value('x');
    const one = value('one', 'float', 1);
    const two = value('two', 'float', 1);
    const levels = scheduleSteps([
      { op: 'activation', x: value('input'), activation: 'relu', output: x },
      { op: 'pick-row', x, row: 0, output: one },
      { op: 'activation', x: one, activation: 'tanh', output: two },
    ]);
    expect(levels.map((level) => level.map(({ rows }) => rows))).toEqual([['sequence'], [1]]);
  });
});

describe('planMemory', () => {
  it('keeps only blocks of what a region makes and uses up, and whole values of the rest', () => {
    const { program, values } = attentionProgram();
    const plan = planMemory(program, scheduleSteps(program.steps), {
      arenaStart: 1000,
      blockRows: 16,
      kernelScratchBytes: 100,
    });
    const spaces = Object.fromEntries(
      Object.entries(values).map(([name, of]) => [name, plan.places.get(of)?.space]),
    );
    expect(spaces).toEqual({
      ids: 'arena',
      x: 'arena',
      q: 'arena',
      k: 'block',
      keys: 'arena',
      values: 'arena',
      bias: 'arena',
      y: 'block',
      output: 'arena',
    });
    expect(plan.places.get(values.k!)).toEqual({ space: 'block', offset: 128, capacity: 16 });
    expect(plan.scratchBytes).toBe(128 + valueBytes(values.k!, 16));
    expect(plan.arenaEnd - plan.arenaBytes).toBe(1024);
    for (const { offset, space } of plan.places.values()) {
      expect(offset).toBeGreaterThanOrEqual(space === 'arena' ? 1024 : 128);
    }
  });

  it('keeps values apart that are alive in the same level', () => {
    const { program } = attentionProgram();
    const plan = planMemory(program, scheduleSteps(program.steps), {
      arenaStart: 0,
      blockRows: 64,
      kernelScratchBytes: 0,
    });
    const inArena = [...plan.places].filter(([, { space }]) => space === 'arena');
    // All but ids and output live from level 0 to level 1; ids end with level 0 and output starts with level 1.
    const ranges = inArena.map(([of, { offset }]) => ({
      name: of.name,
      offset,
      end: offset + valueBytes(of, 64),
    }));
    for (const a of ranges) {
      for (const b of ranges) {
        if (a === b || [a.name, b.name].toSorted().join() === 'ids,output') continue;
        expect(a.end <= b.offset || b.end <= a.offset, `${a.name} and ${b.name}`).toBe(true);
      }
    }
  });
});

describe('blockSizes', () => {
  const step = { op: 'activation', x: value('x'), activation: 'relu', output: value('y') } as const;

  it('lists the rows of all blocks for every number of threads', () => {
    // One thread: 3 blocks of 84, 84 and 82. Two: 125 rows each in 63 and 62. Three: 84, 84 and 82.
    expect(blockSizes({ rows: 250, steps: [step] }, 120, 3)).toEqual([62, 63, 82, 84]);
  });

  it('knows nothing of sentences', () => {
    expect(blockSizes({ rows: 'sequence', steps: [step] }, 120, 3)).toBeUndefined();
  });
});

describe('tileHeights', () => {
  it('are those that differ by at most one and cover the rows', () => {
    expect(tileHeights([62, 84], 6)).toEqual([5, 6]);
    expect(tileHeights([8], 6)).toEqual([4]);
    expect(tileHeights(undefined, 3)).toEqual([1, 2, 3]);
  });
});
