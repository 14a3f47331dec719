import { CompilerError } from '../diagnostics/index.ts';

/** Graphs and types nested deeper than this are refused. */
const NESTING_LIMIT = 32;

/** Names that need no quotes; `::` and `:0` occur in the names of PyTorch and TensorFlow. */
const BARE_NAME = /[\w/$](?:[\w/$.-]|::|:(?=\d))*/y;
const SPACES = /[ \t]*/y;
const BLANK = /(?:[ \t\r\n]|#[ ][^\n]*|#(?=\n))*/y;
const LINE_END = /[ \t]*(?:#(?: [^\n]*)?)?(?:\r?\n|$)/y;
const STRING = /"(?:[^"\\\n]|\\.)*"/y;
const HEX = /x"((?:[0-9a-f]{2})*)"/y;
const NUMBER = /-?(?:inf|nan|\d+(?:\.\d+)?(?:e[+-]?\d+)?)/y;
const INTEGER = /-?\d+/y;

/** Whether a name may be written without quotes in the text form of a model. */
export function isBareName(name: string): boolean {
  BARE_NAME.lastIndex = 0;
  return name !== '_' && BARE_NAME.exec(name)?.[0] === name;
}

/** Reads the text form of models from left to right; every error names line and column. */
export class TextScanner {
  readonly #text: string;
  readonly #file: string | undefined;
  #depth = 0;
  /** Offset of the next character. */
  at = 0;

  constructor(text: string, file: string | undefined) {
    this.#text = text;
    this.#file = file;
  }

  /** @throws CompilerError `bad-file`, always */
  fail(message: string, position: number = this.at): never {
    const before = this.#text.slice(0, position).split('\n');
    const place = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
    const at = this.#file === undefined ? {} : { at: { file: this.#file } };
    throw new CompilerError('bad-file', `${place}: ${message}`, at);
  }

  /** Takes what a sticky pattern finds here. */
  match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.at += found[0].length;
    return found;
  }

  /** Whether a sticky pattern matches here; takes nothing. */
  sees(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    return pattern.test(this.#text);
  }

  peek(literal: string): boolean {
    this.match(SPACES);
    return this.#text.startsWith(literal, this.at);
  }

  accept(literal: string): boolean {
    if (!this.peek(literal)) return false;
    this.at += literal.length;
    return true;
  }

  expect(literal: string): void {
    if (!this.accept(literal)) this.fail(`expected '${literal}'`);
  }

  expectPattern(pattern: RegExp, what: string): string {
    this.match(SPACES);
    return this.match(pattern)?.[0] ?? this.fail(`expected ${what}`);
  }

  /** Takes the keyword ahead. In `input = Relu(x)` the same word is a name. */
  acceptWord(word: string): boolean {
    if (!this.peek(`${word} `)) return false;
    const end = this.at + word.length;
    if (/^ +=/.test(this.#text.slice(end, end + 9))) return false;
    this.at = end;
    return true;
  }

  expectWord(word: string): void {
    if (!this.acceptWord(word)) this.fail(`expected '${word}'`);
  }

  /** Skips spaces, line ends and comments. */
  skipBlank(): void {
    this.match(BLANK);
  }

  atLineEnd(): boolean {
    this.match(SPACES);
    return this.sees(LINE_END);
  }

  endStatement(): void {
    if (this.match(LINE_END) === undefined) this.fail('expected the end of the line');
  }

  endText(): void {
    this.skipBlank();
    if (this.at < this.#text.length) this.fail('expected the end of the text');
  }

  /** Items between commas up to `close`, over any number of lines. */
  list<T>(close: string, item: () => T): T[] {
    const items: T[] = [];
    this.skipBlank();
    if (this.accept(close)) return items;
    for (;;) {
      this.skipBlank();
      items.push(item());
      this.skipBlank();
      if (this.accept(close)) return items;
      this.expect(',');
    }
  }

  /** The statements of a block, after its opening brace. */
  block(statement: () => void): void {
    this.expect('{');
    this.endStatement();
    this.nested(() => {
      for (this.skipBlank(); !this.accept('}'); this.skipBlank()) {
        statement();
        this.endStatement();
      }
    });
  }

  nested<T>(body: () => T): T {
    this.#depth += 1;
    if (this.#depth > NESTING_LIMIT) this.fail(`nested deeper than ${NESTING_LIMIT}`);
    const result = body();
    this.#depth -= 1;
    return result;
  }

  string(): string {
    const quoted = this.expectPattern(STRING, 'a string in double quotes');
    try {
      return JSON.parse(quoted) as string;
    } catch {
      return this.fail('bad escape in string', this.at - quoted.length);
    }
  }

  /** A name, bare or quoted; `_` is the empty name. */
  name(): string {
    if (this.peek('"')) return this.string();
    const name = this.match(BARE_NAME)?.[0] ?? this.fail('expected a name');
    return name === '_' ? '' : name;
  }

  integer(): number {
    const text = this.integerText();
    const value = Number(text);
    return Number.isSafeInteger(value) ? value : this.fail('integer too large', this.at - text.length);
  }

  integerText(): string {
    return this.expectPattern(INTEGER, 'an integer');
  }

  /** Decimal text, `inf`, `-inf` or `nan`. */
  numberText(): string {
    return this.expectPattern(NUMBER, 'a number');
  }

  seesNumber(): boolean {
    return this.sees(NUMBER);
  }

  /** UTF-8 of a string, or the bytes of `x"00ff"`. */
  bytes(): Uint8Array {
    return this.peek('x"') ? this.hex() : new TextEncoder().encode(this.string());
  }

  hex(): Uint8Array {
    const digits = this.match(HEX)?.[1] ?? this.fail('expected an even number of hex digits: x"00ff"');
    return Uint8Array.from({ length: digits.length / 2 }, (_, i) =>
      Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16),
    );
  }
}

/** What `TextScanner.numberText` stands for. */
export function numberOf(text: string): number {
  return Number(text.replace('inf', 'Infinity').replace('nan', 'NaN'));
}
