import type { MaxTokens, SlowText } from '@edgewise/compiler';
import { formatMs, formatPercent } from '../../terminal/format.ts';

export interface LengthReasonsOptions extends MaxTokens {
  /** Texts that were counted. */
  readonly texts: number;
  /** The model's own limit. */
  readonly modelTokens: number;
  /** Whether a limit says what cutting may cost. */
  readonly isBounded: boolean;
}

const WORDS: Readonly<Record<SlowText['limit'], { readonly who: string; readonly option: string }>> = {
  p50: { who: 'Half of the texts', option: '--max-latency' },
  p95: { who: '5 % of the texts', option: '--max-latency-p95' },
};

/** How long inputs may be and why, for people: one sentence each. */
export function lengthReasons({
  maxTokens,
  truncated,
  covering,
  tooSlow,
  texts,
  modelTokens,
  isBounded,
}: LengthReasonsOptions): readonly string[] {
  const cut = `Inputs have at most ${maxTokens} of the model's ${modelTokens} tokens: ${formatPercent(truncated)} of the ${texts} texts are cut.`;
  if (tooSlow.length === 0) return [cut];
  const why = tooSlow.map(({ limit, allowedMs, tokens, ms }) => {
    const { who, option } = WORDS[limit];
    return `${who} have ${tokens} tokens or more, which take ${formatMs(ms)} and longer; ${option} is ${formatMs(allowedMs)}.`;
  });
  return [cut, ...why, otherwise(maxTokens, covering, isBounded)];
}

function otherwise(maxTokens: number, covering: number, isBounded: boolean): string {
  if (!isBounded) return 'Texts are cut for that only with --max-drop, which says what it may cost.';
  return maxTokens < covering
    ? `Without that, inputs would have at most ${covering} tokens.`
    : 'Even 8 tokens take too long, so nothing is cut for that.';
}
