import { seededRandom, type SeededRandom } from '@edgewise/test-utils';
import { expect, it } from 'vitest';
import { RuntimeError } from '../src/node/index.ts';
import { load } from '../src/node/text-classification.ts';
import { fileEntry, tinyPackage } from './tiny-package.ts';

const ROUNDS = 10_000;
const tiny = tinyPackage();
type Bytes = Uint8Array<ArrayBuffer>;
type Files = Map<string, Bytes>;

const HOSTILE_NUMBERS = [
  0,
  -0,
  1,
  -1,
  0.5,
  3,
  63,
  1e9,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 65_536,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 53,
  -1e300,
  1e300,
];
const HOSTILE_TEXTS = ['', 'x', '../x', '__proto__', 'constructor', 'sequence', 'model.weights'];
const HOSTILE_VALUES: readonly unknown[] = [null, true, [], {}, [[]], ...HOSTILE_TEXTS, ...HOSTILE_NUMBERS];

/** Replaces, removes, doubles or swaps a value somewhere in a JSON value. */
function mutateJson(root: unknown, random: SeededRandom): void {
  const places: [Record<string, unknown>, string][] = [];
  const collect = (value: unknown, depth: number): void => {
    if (typeof value !== 'object' || value === null || depth > 6) return;
    for (const key of Object.keys(value).slice(0, 40)) {
      places.push([value as Record<string, unknown>, key]);
      collect((value as Record<string, unknown>)[key], depth + 1);
    }
  };
  collect(root, 0);
  const [parent, key] = random.pick(places);
  const [otherParent, otherKey] = random.pick(places);
  const value = parent[key];
  switch (random.int(0, 5)) {
    case 0:
      delete parent[key];
      return;
    case 1:
      parent[key] = structuredClone(otherParent[otherKey]);
      return;
    case 2:
      parent[key] = typeof value === 'number' ? value + random.pick([-64, -4, -1, 1, 4, 64]) : [value, value];
      return;
    case 3:
      if (Array.isArray(value)) value.push(...(value as unknown[]));
      else parent[key] = typeof value === 'number' ? value * random.pick([2, 16, 1000, -1]) : {};
      return;
    default:
      parent[key] = random.pick(HOSTILE_VALUES);
  }
}

function mutateBytes(bytes: Bytes, random: SeededRandom): Bytes {
  const at = random.int(0, bytes.length - 1);
  switch (random.int(0, 3)) {
    case 0:
      return bytes.slice(0, at);
    case 1:
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(random.int(0, at))]);
    default: {
      const copy = bytes.slice();
      for (let i = random.int(1, 4); i > 0; i--) copy[random.int(0, copy.length - 1)] = random.int(0, 255);
      return copy;
    }
  }
}

const JSON_FILES = ['edgewise.json', 'tokenizer.json'];

/** Damages one file. Except for programs, which are code, the manifest may vouch for the damage. */
function mutate(files: Files, random: SeededRandom): string {
  const name = random.pick(['edgewise.json', 'edgewise.json', 'edgewise.json', ...files.keys()]);
  const bytes = files.get(name) as Bytes;
  if (JSON_FILES.includes(name) && random() < 0.8) {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    for (let i = random.int(1, 2); i > 0; i--) mutateJson(value, random);
    files.set(name, new TextEncoder().encode(JSON.stringify(value)));
  } else {
    files.set(name, mutateBytes(bytes, random));
  }
  if (random() < 0.7 && !name.endsWith('.wasm') && name !== 'edgewise.json') vouch(files, name);
  return name;
}

function vouch(files: Files, name: string): void {
  const manifest = structuredClone(tiny.manifest) as { files: Record<string, unknown> };
  manifest.files[name] = fileEntry(files.get(name) as Bytes);
  files.set('edgewise.json', new TextEncoder().encode(JSON.stringify(manifest)));
}

/** `ok`, or the error's code. Anything that is neither an answer nor a RuntimeError fails the test. */
async function outcome(files: Files, verify: boolean): Promise<string> {
  try {
    const classify = await load(files, { verify });
    try {
      const scores = await classify('a great film 🎬');
      expect(scores.length).toBeGreaterThan(0);
      expect(scores.every(({ label, score }) => typeof label === 'string' && typeof score === 'number')).toBe(
        true,
      );
      return 'ok';
    } finally {
      classify.dispose();
    }
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    return error.message.length > 10 ? error.code : `no message: ${error.message}`;
  }
}

it(`answers or says what is wrong: ${ROUNDS} mutated packages`, async () => {
  expect(await outcome(new Map(tiny.files), true)).toBe('ok');
  const outcomes: Record<string, number> = {};
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const random = seededRandom(seed);
    const files: Files = new Map(tiny.files);
    const name = mutate(files, random);
    const start = performance.now();
    const result = await outcome(files, seed % 2 === 0).catch((cause: unknown) => {
      throw new Error(`seed ${seed} (${name})`, { cause });
    });
    expect(performance.now() - start, `milliseconds, seed ${seed} (${name})`).toBeLessThan(5000);
    outcomes[result] = (outcomes[result] ?? 0) + 1;
  }
  // Most damage is noticed; some of it (names, proof, labels, weights without verify) is a different good package.
  expect(outcomes['bad-package']).toBeGreaterThan(ROUNDS / 2);
  expect(outcomes['ok']).toBeGreaterThan(ROUNDS / 20);
}, 120_000);
