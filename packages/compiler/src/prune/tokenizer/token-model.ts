import type { Json } from './json.ts';

/** New id by old id: what stays. */
export type TokenIds = ReadonlyMap<number, number>;

/** The `model` of a tokenizer.json, whatever its kind. */
export interface TokenModel {
  /** Id by token. */
  readonly tokens: ReadonlyMap<string, number>;
  /** Id of the unknown token. */
  readonly unknown: number | undefined;
  /** The smallest tokens that the token could be spelled with; more than one unless it is such a token itself. */
  readonly spell: (token: string) => readonly string[];
  /** Tokens without which the token cannot come about. */
  readonly partsOf: (token: string) => readonly string[];
  /** The same model with the tokens that `ids` names, and their new ids. */
  readonly restrict: (ids: TokenIds) => Json;
}
