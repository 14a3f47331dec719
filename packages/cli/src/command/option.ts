/** An option that is there or not. */
export interface FlagOption {
  readonly kind: 'flag';
  readonly description: string;
}

/** An option with a value. `parse` throws `UsageError` with what is wrong about it. */
export interface ValueOption<T> {
  readonly kind: 'value';
  /** What the value is, for help: `bytes` shows as `<bytes>`. */
  readonly placeholder: string;
  readonly description: string;
  readonly parse: (text: string) => T;
}

export interface RequiredOption<T> extends ValueOption<T> {
  readonly required: true;
}

export interface DefaultedOption<T> extends ValueOption<T> {
  readonly default: T;
}

/** The kind of option a property needs: boolean a flag, optional a value, any other a default or `required`. */
export type OptionFor<T> = [T] extends [boolean]
  ? FlagOption
  : undefined extends T
    ? ValueOption<Exclude<T, undefined>>
    : RequiredOption<T> | DefaultedOption<T>;

/**
 * One entry for every property of a command's options; a forgotten one is a type error. Names are camelCase, flags the
 * same in kebab-case. Parsing, help and docs/cli.md come from it.
 */
export type OptionTable<Options> = { readonly [Name in keyof Options]-?: OptionFor<Options[Name]> };

export type AnyOption =
  | FlagOption
  | ValueOption<unknown>
  | RequiredOption<unknown>
  | DefaultedOption<unknown>;

export function flag(description: string): FlagOption {
  return { kind: 'flag', description };
}

export function value<T>(
  placeholder: string,
  description: string,
  parse: (text: string) => T,
): ValueOption<T> {
  return { kind: 'value', placeholder, description, parse };
}

/** `maxSize` → `--max-size <bytes>`. */
export function flagText(name: string, option: AnyOption): string {
  const long = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  return option.kind === 'flag' ? long : `${long} <${option.placeholder}>`;
}
