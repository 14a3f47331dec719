import { CompilerError } from '../diagnostics/index.ts';

export interface ChooseMaxTokensOptions {
  /** Tokens of each text, special ones included, uncut. */
  readonly lengths: readonly number[];
  /** Share of the texts that are not to be cut, 0 to 1. Default 0.999. */
  readonly coverage?: number;
  /** The model's own limit. */
  readonly limit: number;
}

export const CHOOSE_MAX_TOKENS_DEFAULTS: Required<Pick<ChooseMaxTokensOptions, 'coverage'>> = {
  coverage: 0.999,
};

export interface MaxTokens {
  readonly maxTokens: number;
  /** Share of the texts that are cut. */
  readonly truncated: number;
}

/** Rows of the engine's blocks come in eights. */
const MULTIPLE = 8;

/**
 * The smallest multiple of 8, at most the model's limit, that leaves `coverage` of the texts uncut.
 * @throws CompilerError `bad-option` without texts or for a coverage outside 0 to 1.
 */
export function chooseMaxTokens(options: ChooseMaxTokensOptions): MaxTokens {
  const { lengths, coverage, limit } = { ...CHOOSE_MAX_TOKENS_DEFAULTS, ...options };
  if (lengths.length === 0) throw new CompilerError('bad-option', 'chooseMaxTokens: there are no texts');
  if (!(coverage > 0 && coverage <= 1))
    throw new CompilerError(
      'bad-option',
      `chooseMaxTokens: coverage must be above 0 and at most 1, got ${coverage}`,
    );
  const sorted = lengths.toSorted((a, b) => a - b);
  const longest = sorted[Math.ceil(coverage * sorted.length) - 1]!;
  const maxTokens = Math.min(limit, MULTIPLE * Math.ceil(longest / MULTIPLE));
  return { maxTokens, truncated: lengths.filter((length) => length > maxTokens).length / lengths.length };
}
