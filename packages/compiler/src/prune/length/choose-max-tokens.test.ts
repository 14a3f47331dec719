import { describe, expect, it } from 'vitest';
import { chooseMaxTokens } from './choose-max-tokens.ts';

describe('chooseMaxTokens', () => {
  // 98 texts of 3 to 22 tokens; 12 is the median, 22 what 95 % do not exceed.
  const lengths = [...Array.from({ length: 98 }, (_, at) => 3 + (at % 20)), 41, 90];

  it('covers the share that is asked for, in steps of 8', () => {
    const by = (coverage: number): object => chooseMaxTokens({ lengths, coverage, limit: 128 });
    expect(by(0.98)).toEqual({ maxTokens: 24, truncated: 0.02, covering: 24, tooSlow: [] });
    expect(by(0.99)).toMatchObject({ maxTokens: 48, truncated: 0.01 });
    expect(chooseMaxTokens({ lengths, limit: 128 })).toMatchObject({ maxTokens: 96, truncated: 0 });
  });

  it("does not pass the model's limit", () => {
    expect(chooseMaxTokens({ lengths, limit: 30 })).toMatchObject({ maxTokens: 30, truncated: 0.02 });
  });

  it('refuses what makes no sense', () => {
    expect(() => chooseMaxTokens({ lengths: [], limit: 30 })).toThrow('there are no texts');
    expect(() => chooseMaxTokens({ lengths, coverage: 99.9, limit: 30 })).toThrow(
      'coverage must be above 0 and at most 1, got 99.9',
    );
  });

  describe('with the times of answers', () => {
    const curve = [
      { tokens: 8, ms: 1 },
      { tokens: 24, ms: 2 },
      { tokens: 128, ms: 15 },
    ];
    const within = (latencyMs: object): ReturnType<typeof chooseMaxTokens> =>
      chooseMaxTokens({ lengths, limit: 128, curve, latencyMs });

    it('cuts nothing for a limit that is kept by the texts it is about, whatever longer ones take', () => {
      const whole = { maxTokens: 96, truncated: 0, covering: 96, tooSlow: [] };
      expect(within({})).toEqual(whole);
      expect(within({ p50: 1.25, p95: 1.875 })).toEqual(whole);
    });

    it('takes the longest multiple of 8 that keeps the limit', () => {
      expect(within({ p95: 1.8 })).toEqual({
        maxTokens: 16,
        truncated: lengths.filter((length) => length > 16).length / 100,
        covering: 96,
        tooSlow: [{ limit: 'p95', allowedMs: 1.8, tokens: 22, ms: 1.875 }],
      });
      expect(within({ p50: 1.2 })).toMatchObject({ maxTokens: 8, tooSlow: [{ limit: 'p50', tokens: 12 }] });
      expect(within({ p50: 1.2, p95: 1.8 })).toMatchObject({ maxTokens: 8, tooSlow: [{}, {}] });
    });

    it('cuts nothing for a limit that 8 tokens break as well', () => {
      const whole = { maxTokens: 96, truncated: 0 };
      expect(within({ p50: 0.9 })).toMatchObject({ ...whole, tooSlow: [{ limit: 'p50' }] });
      expect(within({ p50: 0.9, p95: 1.8 })).toMatchObject({ ...whole, tooSlow: [{}, { limit: 'p95' }] });
    });

    it('asks about texts as the coverage would cut them', () => {
      const long = lengths.map((length) => 10 * length);
      const cut = chooseMaxTokens({ lengths: long, limit: 40, curve, latencyMs: { p50: 3 } });
      expect(cut).toMatchObject({ covering: 40, maxTokens: 32, tooSlow: [{ tokens: 40, ms: 4 }] });
    });

    it('is as before where all texts are short', () => {
      const short = chooseMaxTokens({ lengths: [3, 4, 5], limit: 128, curve, latencyMs: { p50: 1, p95: 1 } });
      expect(short).toEqual({ maxTokens: 8, truncated: 0, covering: 8, tooSlow: [] });
    });
  });
});
