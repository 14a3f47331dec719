import { describe, expect, it } from 'vitest';
import { chooseMaxTokens } from './choose-max-tokens.ts';

describe('chooseMaxTokens', () => {
  const lengths = [...Array.from({ length: 98 }, (_, at) => 3 + (at % 20)), 41, 90];

  it('covers the share that is asked for, in steps of 8', () => {
    expect(chooseMaxTokens({ lengths, coverage: 0.98, limit: 128 })).toEqual({
      maxTokens: 24,
      truncated: 0.02,
    });
    expect(chooseMaxTokens({ lengths, coverage: 0.99, limit: 128 })).toEqual({
      maxTokens: 48,
      truncated: 0.01,
    });
    expect(chooseMaxTokens({ lengths, limit: 128 })).toEqual({ maxTokens: 96, truncated: 0 });
  });

  it("does not pass the model's limit", () => {
    expect(chooseMaxTokens({ lengths, limit: 30 })).toEqual({ maxTokens: 30, truncated: 0.02 });
  });

  it('refuses what makes no sense', () => {
    expect(() => chooseMaxTokens({ lengths: [], limit: 30 })).toThrow('there are no texts');
    expect(() => chooseMaxTokens({ lengths, coverage: 99.9, limit: 30 })).toThrow(
      'coverage must be above 0 and at most 1, got 99.9',
    );
  });
});
