/** Places in the texts that are tried to begin at. */
const STARTS = 8;

/** Characters behind the first end that has tokens enough. */
const NEAR = 24;

/**
 * A text of exactly so many tokens: texts joined by blanks from one of the first on, again from the first after the last, and cut.
 * @param count tokens of a text, special ones included
 * @returns undefined where no such text was found
 */
export function textOfTokens(
  texts: readonly string[],
  tokens: number,
  count: (text: string) => number,
): string | undefined {
  for (let start = 0; start < Math.min(STARTS, texts.length); start++) {
    const text = cut(joined(texts, start, tokens, count), tokens, count);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** Enough texts; each has a token at least, unless it is blank. */
function joined(
  texts: readonly string[],
  start: number,
  tokens: number,
  count: (text: string) => number,
): string {
  let text = '';
  for (let i = start; i < start + texts.length + tokens && count(text) < tokens; i++)
    text += `${texts[i % texts.length]} `;
  return text;
}

/** The beginning of a text that has exactly so many tokens. A character more can be a token less: it may complete a word. */
function cut(text: string, tokens: number, count: (text: string) => number): string | undefined {
  const characters = Array.from(text);
  const beginning = (end: number): string => characters.slice(0, end).join('');
  let [short, enough] = [0, characters.length];
  while (enough - short > 1) {
    const middle = Math.floor((short + enough) / 2);
    if (count(beginning(middle)) < tokens) short = middle;
    else enough = middle;
  }
  for (let end = enough; end <= Math.min(enough + NEAR, characters.length); end++)
    if (count(beginning(end)) === tokens) return beginning(end);
  return undefined;
}
