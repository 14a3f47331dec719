import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { repoRoot, seededRandom, sharedAsset, type SeededRandom } from '@edgewise/test-utils';
import { isDeepStrictEqual } from 'node:util';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import {
  CompilerError,
  printModel,
  readOnnx,
  validateModel,
  writeOnnx,
  type ExternalData,
  type Model,
} from '../src/index.ts';
import { ModelProtoSchema } from '../src/import/onnx/proto/onnx_pb.ts';
import { everyFeature } from './every-feature.ts';

const MUTATIONS = 10_000;

/** Set EDGEWISE_FUZZ_SEED to look for other mutants; failures name the seed that reproduces them. */
const FIRST_SEED = Number(process.env['EDGEWISE_FUZZ_SEED'] ?? 1);

/** A mutant may not take longer than this: reading the largest seed takes about 2 ms. */
const HANG_MS = 2000;

const external: ExternalData = (_location, _offset, length) => new Uint8Array(Math.min(length, 1 << 20));

type Mutate = (bytes: Uint8Array, random: SeededRandom, donor: Uint8Array) => Uint8Array;

const BYTE_MUTATIONS: [string, Mutate][] = Object.entries({
  flipBits: (bytes, random) => {
    const mutant = bytes.slice();
    for (let n = random.int(1, 8); n > 0; n--) {
      const at = random.int(0, mutant.length - 1);
      mutant[at] = (mutant[at] ?? 0) ^ (1 << random.int(0, 7));
    }
    return mutant;
  },
  setBytes: (bytes, random) => {
    const mutant = bytes.slice();
    const at = random.int(0, mutant.length - 1);
    return mutant.fill(random.pick([0, 1, 0x7f, 0x80, 0xff]), at, at + random.int(1, 12));
  },
  truncate: (bytes, random) => bytes.subarray(0, random.int(0, bytes.length - 1)),
  remove: (bytes, random) => splice(bytes, random, new Uint8Array(), random.int(1, 64)),
  insert: (bytes, random) => splice(bytes, random, Uint8Array.from({ length: random.int(1, 16) }, () => random.int(0, 255)), 0), // prettier-ignore
  repeat: (bytes, random) => splice(bytes, random, slice(bytes, random), 0),
  transplant: (bytes, random, donor) => splice(bytes, random, slice(donor, random), random.int(0, 64)),
  hugeVarint: (bytes, random) => splice(bytes, random, random.pick(HUGE_VARINTS), random.int(1, 2)),
} satisfies Record<string, Mutate>);

/** Changes a few fields and keeps the file well-formed, to get past the wire format. */
function mutateFields(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const message = fromBinary(ModelProtoSchema, bytes);
  for (let n = random.int(1, 3); n > 0; n--) {
    const [holder, key] = random.pick(fieldsOf(message));
    holder[key] = mutateValue(holder[key], random);
  }
  return toBinary(ModelProtoSchema, message);
}

type Holder = Record<string | number, unknown>;

function fieldsOf(value: unknown, found: [Holder, string][] = []): [Holder, string][] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return found;
  for (const [key, child] of Object.entries(value)) {
    if (key.startsWith('$') || key === 'case') continue;
    const isOneof = 'case' in value && typeof child === 'object'; // cleared as a whole, with its case
    if (!isOneof) found.push([value as Holder, key]);
    fieldsOf(child, found);
  }
  return found;
}

function mutateValue(value: unknown, random: SeededRandom): unknown {
  if (typeof value === 'number') return random.pick([0, 1, -1, 8, 255, 2 ** 31 - 1, value + 1]);
  if (typeof value === 'bigint')
    return random.pick([0n, 1n, -1n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n), value + 1n]);
  if (typeof value === 'string') return random.pick(['', 'x', '..', '/etc/passwd', 'C:/x', 'h', `${value}'`, '-1', '9'.repeat(30)]); // prettier-ignore
  if (value instanceof Uint8Array) return random.pick([new Uint8Array(), value.subarray(1), Uint8Array.of(...value, 1)]); // prettier-ignore
  if (!Array.isArray(value))
    return value !== null && typeof value === 'object' && 'case' in value ? { case: undefined } : undefined;
  const at = random.int(0, value.length);
  return random.pick([[], value.toSpliced(at, 1), [...value, ...value.slice(at)], value.toReversed()]);
}

const HUGE_VARINTS = [
  [0xff, 0xff, 0xff, 0xff, 0x07], // 2^31 - 1
  [0xff, 0xff, 0xff, 0xff, 0x0f], // 2^32 - 1
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], // 2^63 - 1
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], // -2^63
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], // too long
].map((bytes) => Uint8Array.from(bytes));

function splice(bytes: Uint8Array, random: SeededRandom, inserted: Uint8Array, removed: number): Uint8Array {
  const at = random.int(0, bytes.length);
  return Uint8Array.from([...bytes.subarray(0, at), ...inserted, ...bytes.subarray(at + removed)]);
}

function slice(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const at = random.int(0, bytes.length - 1);
  return bytes.subarray(at, at + random.int(1, 256));
}

/** The structure of a model: its weights are left to external data, so that mutations hit what is parsed. */
function structureOf(path: string): Uint8Array {
  return writeOnnx(readOnnx(readFileSync(path)), { external: { location: 'weights', thresholdBytes: 64 } })
    .bytes;
}

type Base = readonly [name: string, bytes: Uint8Array];

function smallBases(): Base[] {
  const model = everyFeature();
  return [
    ['every feature', writeOnnx(model).bytes],
    ['every feature, external', writeOnnx(model, { external: { location: 'w', thresholdBytes: 8 } }).bytes],
  ];
}

/** Real exports; slow, so only one mutant in `LARGE_SHARE` is made of them. */
function largeBases(): Base[] {
  const exported = join(repoRoot, 'packages/compiler/test/fixtures/exports/distilbert-relu-dynamo-sdpa.onnx');
  const trained = sharedAsset('own/sst2-tiny/model.onnx');
  return [
    ['distilbert-relu-dynamo-sdpa', new Uint8Array(readFileSync(exported))],
    ...(existsSync(trained) ? [['sst2-tiny', structureOf(trained)] as const] : []),
  ];
}

const LARGE_SHARE = 10;

it(`${MUTATIONS} mutants of ONNX files are refused with a CompilerError or read`, () => {
  const [small, large] = [smallBases(), largeBases()];
  const codes = new Map<string, number>();
  const failures: string[] = [];
  for (let seed = FIRST_SEED; seed < FIRST_SEED + MUTATIONS; seed++) {
    const random = seededRandom(seed);
    const bases = random.int(1, LARGE_SHARE) === 1 ? large : small;
    const [name, bytes] = random.pick(bases);
    const [kind, mutate] = random.pick(
      random.int(0, 1) === 0 ? BYTE_MUTATIONS : [['fields', mutateFields] as [string, Mutate]],
    );
    const started = performance.now();
    const outcome = outcomeOf(mutate(bytes, random, random.pick(small)[1]));
    if (performance.now() - started > HANG_MS) failures.push(`seed ${seed}: ${kind} of ${name} hangs`);
    if (outcome instanceof Error) failures.push(`seed ${seed}: ${kind} of ${name}: ${outcome.stack}`);
    else codes.set(outcome, (codes.get(outcome) ?? 0) + 1);
  }
  expect(failures).toEqual([]);
  // Both ends of the code are reached, or the mutations test nothing.
  expect(codes.get('bad-file')).toBeGreaterThan(MUTATIONS / 10);
  expect(codes.get('read')).toBeGreaterThan(MUTATIONS / 100);
}, 120_000);

/** The code of the refusal, `read`, or what went wrong. A model that was read must survive everything after. */
function outcomeOf(bytes: Uint8Array): string | Error {
  let model: Model;
  try {
    model = readOnnx(bytes, { external });
  } catch (error) {
    return error instanceof CompilerError ? error.code : (error as Error);
  }
  try {
    validateModel(model);
    printModel(model, { inlineElements: 4 });
    const again = readOnnx(writeOnnx(model).bytes);
    return isDeepStrictEqual(again, model) ? 'read' : new Error('reads back as another model');
  } catch (error) {
    return error as Error;
  }
}
