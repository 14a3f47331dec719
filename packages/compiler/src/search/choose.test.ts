import { describe, expect, it } from 'vitest';
import { evaluation, contenders } from '../../test/search-table.ts';
import { missedLimits } from './budget.ts';
import { choose, paretoFront } from './choose.ts';

describe('missedLimits', () => {
  it('names every broken limit with what was measured', () => {
    const budget = {
      downloadBytes: 299,
      latencyMs: { p50: 2, p95: 3 },
      peakMemoryBytes: 3000,
      drop: 0,
    };
    expect(missedLimits(budget, evaluation(300, 2, 0.8, 0.01))).toEqual([
      { limit: 'downloadBytes', allowed: 299, measured: 300 },
      { limit: 'latencyP95Ms', allowed: 3, measured: 4 },
      { limit: 'drop', allowed: 0, measured: 0.01 },
    ]);
    expect(missedLimits({}, evaluation(300, 2, 0.8))).toEqual([]);
    expect(missedLimits({ drop: 0.01 }, evaluation(1, 1, 1, 0.8 - 0.79))).toEqual([]);
  });
});

describe('paretoFront', () => {
  it('leaves out what another beats everywhere', () => {
    expect(paretoFront(contenders)).toEqual(['float', 'int8', 'int4']);
    const twin = { name: 'twin', evaluation: evaluation(300, 2, 0.79) };
    expect(paretoFront([...contenders, twin])).toContain('twin');
  });
});

describe('choose', () => {
  it('takes the smallest within the budget and says what it gave up', () => {
    expect(choose(contenders, { drop: 0.03 })).toEqual({
      name: 'int8',
      met: true,
      reasons: [
        'The smallest download of the 3 (of 4) candidates that meet the budget.',
        'float scores 1.00 points more but is larger.',
      ],
      relax: [],
    });
    expect(choose(contenders, {}).name).toBe('int4');
    expect(choose(contenders, {}).reasons[0]).toBe(
      'The smallest download of 4 candidates; no limit was given.',
    );
    expect(choose(contenders, {}).reasons).toContain('int8 is faster (1.25×) but larger.');
  });

  it('shows the nearest and what to relax when nothing fits', () => {
    // float misses size by 200 %, int8 misses nothing but the drop by 100 % of its limit
    expect(choose(contenders, { downloadBytes: 300, drop: 0.005 })).toMatchObject({
      name: 'int8',
      met: false,
      relax: [{ limit: 'drop', allowed: 0.005, measured: 0.01 }],
    });
  });
});
