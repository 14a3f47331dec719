import { CompilerError } from '../diagnostics/index.ts';

/**
 * Checks a list of heads, neurons or channels that stay.
 * @throws CompilerError `bad-option` unless it is ascending, not empty and within `count`.
 */
export function checkKept(verb: string, what: string, keep: readonly number[], count: number): void {
  const isFine = keep.length > 0 && keep.every((each, at) => each > (keep[at - 1] ?? -1) && each < count);
  if (!isFine)
    throw new CompilerError(
      'bad-option',
      `${verb}: keep must be an ascending list of some of the ${count} ${what}, got ${keep.join(', ')}`,
    );
}
