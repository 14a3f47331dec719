import { UsageError } from './usage-error.ts';

const BYTE_UNITS: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

const TIME_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000 };

/** `3MB` (decimal), `64MiB` (binary), `512` (bytes). */
export function parseBytes(text: string): number {
  const { amount, unit } = split(text, 'a size', '3MB, 900kB or 64MiB');
  const factor = BYTE_UNITS[unit === '' ? 'b' : unit.toLowerCase()];
  if (factor === undefined)
    throw new UsageError(`'${unit}' is no unit of size: write B, kB, MB, GB, KiB, MiB or GiB.`);
  return Math.round(amount * factor);
}

/** `20ms`, `1.5s`, `20` (milliseconds). */
export function parseMilliseconds(text: string): number {
  const { amount, unit } = split(text, 'a time', '20ms or 1.5s');
  const factor = TIME_UNITS[unit === '' ? 'ms' : unit.toLowerCase()];
  if (factor === undefined) throw new UsageError(`'${unit}' is no unit of time: write ms or s.`);
  return amount * factor;
}

/** `0.5%`: half a point, returned as 0.005. A bare number is refused: 0.5 could mean either. */
export function parsePoints(text: string): number {
  const { amount, unit } = split(text, 'a drop', '0.5%');
  if (unit !== '%') throw new UsageError(`'${text}' is ambiguous: write ${amount}% for ${amount} points.`);
  return amount / 100;
}

/** A whole number from `low` to `high`. */
export function wholeNumber(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < low || value > high)
      throw new UsageError(`'${text}' is not a whole number from ${low} to ${high}.`);
    return value;
  };
}

/** One of some words. */
export function oneOf<T extends string>(words: readonly T[]): (text: string) => T {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found === undefined) throw new UsageError(`'${text}' is not known: choose ${words.join(', ')}.`);
    return found;
  };
}

/** Some of these words, with commas between them. */
export function listOf<T extends string>(words: readonly T[]): (text: string) => readonly T[] {
  const parse = oneOf(words);
  return (text) => [...new Set(text.split(',').map((word) => parse(word.trim())))];
}

/** The word, or what the other parser takes. */
export function orWord<W extends string, T>(word: W, parse: (text: string) => T): (text: string) => W | T {
  return (text) => (text === word ? word : parse(text));
}

/** Text as it was typed, but not empty. */
export function plainText(text: string): string {
  if (text === '') throw new UsageError('it is empty.');
  return text;
}

function split(text: string, what: string, examples: string): { amount: number; unit: string } {
  const match = /^(\d+(?:\.\d+)?|\.\d+)\s*([a-zA-Z%]*)$/.exec(text.trim());
  if (!match) throw new UsageError(`'${text}' is not ${what}: write for example ${examples}.`);
  return { amount: Number(match[1]), unit: match[2] ?? '' };
}
