import { existsSync } from 'node:fs';
import { UsageError } from '../command/usage-error.ts';
import { readInput } from '../files/read-input.ts';

export type Json = Readonly<Record<string, unknown>>;

/** A JSON object from a file; an empty one where there is no file. */
export async function readJson(path: string): Promise<Json> {
  return parseJson(await readOptional(path), path);
}

export function parseJson(bytes: Uint8Array | undefined, name: string): Json {
  if (bytes === undefined) return {};
  try {
    return objectOf(JSON.parse(new TextDecoder().decode(bytes))) ?? {};
  } catch (cause) {
    throw new UsageError(`${name} is not JSON: ${(cause as Error).message}`);
  }
}

export async function readOptional(path: string): Promise<Uint8Array | undefined> {
  return existsSync(path) ? readInput(path) : undefined;
}

export function objectOf(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

/** Class names by index, from config.json's `id2label`; empty where there is none. */
export function labelsOf({ id2label }: Json): readonly string[] {
  return Object.entries(objectOf(id2label) ?? {})
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, label]) => String(label));
}

export function isMultiLabel(config: Json): boolean {
  return config['problem_type'] === 'multi_label_classification';
}
