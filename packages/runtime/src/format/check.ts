import { RuntimeError } from '../runtime-error.ts';

/** A value of the manifest with the path that names it in messages, e.g. `model.weights.sections[3].offset`. */
export interface Field {
  readonly value: unknown;
  readonly path: string;
}

export function fail(field: Field, expected: string): never {
  throw new RuntimeError(
    'bad-package',
    `edgewise.json: ${field.path || 'the manifest'} must be ${expected}, not ${show(field.value)}`,
    { file: 'edgewise.json' },
  );
}

/** A property of an object; `undefined` when it is absent. Inherited properties do not count. */
export function at(parent: Field, key: string): Field {
  const { value } = parent;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(parent, 'an object');
  return {
    value: Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined,
    path: parent.path ? `${parent.path}.${key}` : key,
  };
}

export function text(field: Field, maxLength = 1000): string {
  const { value } = field;
  if (typeof value !== 'string' || value === '' || value.length > maxLength) {
    fail(field, `a text of 1 to ${maxLength} characters`);
  }
  return value;
}

export function oneOf<T extends string | number>(field: Field, values: readonly T[]): T {
  const found = values.find((value) => value === field.value);
  return found ?? fail(field, values.map((value) => JSON.stringify(value)).join(' or '));
}

/** A whole number in [low, high]. */
export function int(field: Field, low: number, high: number): number {
  const { value } = field;
  if (!Number.isInteger(value) || (value as number) < low || (value as number) > high) {
    fail(field, `a whole number from ${low} to ${high}`);
  }
  return value as number;
}

export function finite(field: Field): number {
  return Number.isFinite(field.value) ? (field.value as number) : fail(field, 'a number');
}

export function flag(field: Field): boolean {
  return typeof field.value === 'boolean' ? field.value : fail(field, 'true or false');
}

/** The elements of an array. */
export function list(field: Field, low: number, high: number): Field[] {
  const { value, path } = field;
  if (!Array.isArray(value) || value.length < low || value.length > high) {
    fail(field, `an array of ${low} to ${high} elements`);
  }
  return value.map((element: unknown, index) => ({ value: element, path: `${path}[${index}]` }));
}

/** Runs a check when the field is there; undefined when it is not. */
export function optional<T>(field: Field, check: (field: Field) => T): T | undefined {
  return field.value === undefined ? undefined : check(field);
}

function show(value: unknown): string {
  if (value === undefined) return 'missing';
  const json = JSON.stringify(value);
  return json.length > 60 ? `${json.slice(0, 57)}...` : json;
}
