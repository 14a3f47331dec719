import type { Budget } from '@edgewise/runtime/format';
import { CompilerError } from '../../diagnostics/index.ts';
import { LENGTH_STEP, timeAt, type LatencyPoint } from './latency-curve.ts';

export interface ChooseMaxTokensOptions {
  /** Tokens of each text, special ones included, uncut. */
  readonly lengths: readonly number[];
  /** Share of the texts that are not to be cut, 0 to 1. Default 0.999. */
  readonly coverage?: number;
  /** The model's own limit. */
  readonly limit: number;
  /** What inputs of some lengths take, ascending. Default none: times do not count. */
  readonly curve?: readonly LatencyPoint[];
  /** Limits of the time of a text: of median length, and of the length that 95 % do not exceed. Default none. */
  readonly latencyMs?: LatencyLimits;
}

type LatencyLimits = NonNullable<Budget['latencyMs']>;

export const CHOOSE_MAX_TOKENS_DEFAULTS: Required<Omit<ChooseMaxTokensOptions, 'lengths' | 'limit'>> = {
  coverage: 0.999,
  curve: [],
  latencyMs: {},
};

export interface MaxTokens {
  readonly maxTokens: number;
  /** Share of the texts that are cut. */
  readonly truncated: number;
  /** The length by coverage alone. */
  readonly covering: number;
  /** Latency limits that this length breaks. `maxTokens` is shorter for their sake, or the same where nothing would help. */
  readonly tooSlow: readonly SlowText[];
}

/** A text that takes longer than a limit allows. */
export interface SlowText {
  readonly limit: keyof LatencyLimits;
  readonly allowedMs: number;
  /** Of the median text, or of the one that 95 % are no longer than, cut to the length by coverage. */
  readonly tokens: number;
  readonly ms: number;
}

/** Share of the texts that each limit is about. */
const SHARES: Readonly<Record<keyof LatencyLimits, number>> = { p50: 0.5, p95: 0.95 };

/**
 * The smallest multiple of 8, at most the model's limit, that leaves `coverage` of the texts uncut. Where the texts that a latency
 * limit is about would then take too long, the largest multiple of 8 that does not; where 8 tokens do as well, nothing is cut for it.
 * @throws CompilerError `bad-option` without texts or for a coverage outside 0 to 1.
 */
export function chooseMaxTokens(options: ChooseMaxTokensOptions): MaxTokens {
  const { lengths, coverage, limit, curve, latencyMs } = { ...CHOOSE_MAX_TOKENS_DEFAULTS, ...options };
  if (lengths.length === 0) throw new CompilerError('bad-option', 'chooseMaxTokens: there are no texts');
  if (!(coverage > 0 && coverage <= 1))
    throw new CompilerError(
      'bad-option',
      `chooseMaxTokens: coverage must be above 0 and at most 1, got ${coverage}`,
    );
  const sorted = lengths.toSorted((a, b) => a - b);
  const covering = Math.min(limit, LENGTH_STEP * Math.ceil(quantile(sorted, coverage) / LENGTH_STEP));
  const tooSlow = (Object.keys(SHARES) as (keyof LatencyLimits)[]).flatMap((name): SlowText[] => {
    const tokens = Math.min(covering, quantile(sorted, SHARES[name]));
    const [ms, allowedMs] = [timeAt(curve, tokens), latencyMs[name]];
    return allowedMs !== undefined && ms > allowedMs ? [{ limit: name, allowedMs, tokens, ms }] : [];
  });
  const fast = tooSlow.map(({ tokens, allowedMs }) => longestWithin(curve, tokens, allowedMs));
  const maxTokens = fast.includes(0) ? covering : Math.min(covering, ...fast);
  return { maxTokens, truncated: shareCut(lengths, maxTokens), covering, tooSlow };
}

/** Share of the texts that inputs of at most so many tokens cut, 0 to 1. */
export function shareCut(lengths: readonly number[], maxTokens: number): number {
  return lengths.filter((length) => length > maxTokens).length / lengths.length;
}

/** By nearest rank, as latencies' percentiles are. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(share * sorted.length) - 1]!;
}

/** The largest multiple of 8 below `tokens` whose inputs take at most `allowedMs`; 0 where there is none. */
function longestWithin(curve: readonly LatencyPoint[], tokens: number, allowedMs: number): number {
  let length = LENGTH_STEP * (Math.ceil(tokens / LENGTH_STEP) - 1);
  while (length > 0 && timeAt(curve, length) > allowedMs) length -= LENGTH_STEP;
  return length;
}
