import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { serveStatic } from '@edgewise/test-utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSession, RuntimeError, type Session } from '../src/node/index.ts';
import { tinyPackage, tinyReference, VOCABULARY, type TinyPackage } from './tiny-package.ts';

const tiny = tinyPackage();
const ids = Array.from({ length: 23 }, (_, i) => (i * 37 + 5) % VOCABULARY);

/** The first error of loading or running. */
async function errorOf(work: Promise<unknown>): Promise<RuntimeError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RuntimeError);
  return error as RuntimeError;
}

async function expectModel(session: Session, length: number): Promise<void> {
  const some = ids.slice(0, length);
  const { logits, rows } = await session.run({ input_ids: some });
  const expected = tinyReference(some);
  expect(logits).toEqual({ dtype: 'float32', shape: [1, 3], data: Float32Array.from(expected.logits) });
  expect(rows).toEqual({ dtype: 'float32', shape: [1, length, 3], data: Float32Array.from(expected.rows) });
}

describe('createSession', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'edgewise-'));
    for (const [name, bytes] of tiny.files) await writeFile(join(folder, name), bytes);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('runs a package in memory', async () => {
    const session = await createSession(tiny.files);
    expect(session.info).toMatchObject({ threads: 1, worker: false, memoryBytes: 65_536 });
    const { manifestMs, filesMs, readyMs } = session.info.timings;
    expect(manifestMs).toBeLessThanOrEqual(filesMs);
    expect(filesMs).toBeLessThanOrEqual(readyMs);
    expect(session.inputs.map(({ name, required }) => [name, required])).toEqual([
      ['input_ids', true],
      ['attention_mask', false],
    ]);
    for (const length of [1, 2, 23]) await expectModel(session, length);
    session.dispose();
  });

  it('hands over views, which the next run overwrites, where they are enough', async () => {
    const session = await createSession(tiny.files, { outputViews: true });
    await expectModel(session, 7);
    const { logits } = await session.run({ input_ids: ids.slice(0, 3) });
    await session.run({ input_ids: ids.slice(5, 12) });
    expect(logits?.data).toEqual(Float32Array.from(tinyReference(ids.slice(5, 12)).logits));
    session.dispose();
  });

  it('reads folders, file URLs and servers', async () => {
    await using server = await serveStatic({ root: folder });
    const sources = [
      folder,
      `${folder}/`,
      pathToFileURL(folder),
      server.origin,
      new URL(`${server.origin}/?x=1`),
    ];
    for (const source of sources) {
      const session = await createSession(source, { verify: true });
      await expectModel(session, 7);
      session.dispose();
    }
    expect(new Set(server.requests)).toEqual(
      new Set(['/edgewise.json', '/model.weights', `/model.${(await createSession(folder)).info.rung}.wasm`]),
    );
  });

  it('gives the same numbers on every rung and passes the mode to the program', async () => {
    for (const [rung, mode, code] of [
      ['simd', 'i16', 0],
      ['relaxed', 'pairs', 3],
    ] as const) {
      const session = await createSession(tiny.files, rung === 'simd' ? { rung } : { rung, mode });
      expect(session.info).toMatchObject({ rung, mode });
      expect((await session.run({ input_ids: [1] }))['mode']?.data).toEqual(Int32Array.of(code));
      await expectModel(session, 9);
      session.dispose();
    }
  });

  it.each([2, 3])('gives the same numbers on %i threads', async (threads) => {
    const session = await createSession(tiny.files, { threads });
    const available = Math.min(threads, (await import('node:os')).availableParallelism());
    expect(session.info.threads).toBe(available);
    for (let round = 0; round < 200; round++) await expectModel(session, 1 + (round % 23));
    session.dispose();
  });

  it('uses threads by itself only where they pay', async () => {
    const large = await createSession(tinyPackage({ macsPerToken: 20e6 }).files);
    expect(large.info.threads).toBeGreaterThan(1);
    await expectModel(large, 3);
    await expectModel(large, 20);
    large.dispose();
    const single = await createSession(tinyPackage({ macsPerToken: 20e6, maxThreads: 1 }).files);
    expect(single.info.threads).toBe(1);
    single.dispose();
  });

  it('takes defaults and refuses what does not fit', async () => {
    const session = await createSession(tiny.files);
    const mask = ids.map((_, i) => i % 2);
    const { logits } = await session.run({ input_ids: ids, attention_mask: mask });
    expect(Array.from(logits?.data ?? [])).toEqual(tinyReference(ids, mask).logits);
    for (const [feeds, message] of [
      [{}, 'input "input_ids" is missing'],
      [{ input_ids: [] }, 'cannot take 0 values'],
      [{ input_ids: new Int32Array(129) }, 'cannot take 129 values; sequence is 1 to 128'],
      [{ input_ids: [VOCABULARY] }, `whole numbers from 0 to ${VOCABULARY - 1}; value 0 is ${VOCABULARY}`],
      [{ input_ids: [1, -1] }, 'value 1 is -1'],
      [{ input_ids: [1.5] }, 'value 0 is 1.5'],
      [{ input_ids: [NaN] }, 'value 0 is NaN'],
      [{ input_ids: [1, 2], attention_mask: [1] }, 'has sequence 1, another input 2'],
      [{ input_ids: [1], other: [1] }, 'there is no input "other"; there is input_ids, attention_mask'],
    ] as const) {
      const error = await errorOf(session.run(feeds));
      expect(error).toMatchObject({ code: 'bad-input', message: expect.stringContaining(message) as string });
    }
    await expectModel(session, 5);
    session.dispose();
    expect(await errorOf(session.run({ input_ids: [1] }))).toMatchObject({ code: 'disposed' });
  });

  it('refuses options that cannot be', async () => {
    for (const options of [
      { threads: 0 },
      { threads: 1.5 },
      { mode: 'fast' as 'u8' },
      { rung: 'turbo' as 'simd' },
    ]) {
      expect(await errorOf(createSession(tiny.files, options))).toMatchObject({ code: 'bad-option' });
    }
  });

  it('stops loading when the signal aborts', async () => {
    const reason = new Error('enough');
    await expect(createSession(tiny.files, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const loading = createSession(folder, { signal: controller.signal });
    controller.abort(reason);
    await expect(loading).rejects.toBe(reason);
  });

  it('says when the program traps, and stays unusable', async () => {
    const { files } = tinyPackage({ traps: true });
    expect(await errorOf(createSession(files))).toMatchObject({ code: 'run-failed' });
    const session = await createSession(files, { warmUp: false });
    expect(await errorOf(session.run({ input_ids: [1] }))).toMatchObject({ code: 'run-failed' });
    expect((await errorOf(session.run({ input_ids: [1] }))).message).toContain('load the package again');
  });
});

describe('createSession with a damaged package', () => {
  const without = (name: string): TinyPackage['files'] =>
    new Map([...tiny.files].filter(([key]) => key !== name));
  const withFile = (
    name: string,
    change: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>,
  ): TinyPackage['files'] =>
    new Map([...tiny.files].map(([key, bytes]) => [key, key === name ? change(bytes.slice()) : bytes]));
  const flipped = (bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> => {
    bytes[bytes.length - 9] = (bytes[bytes.length - 9] ?? 0) ^ 4;
    return bytes;
  };

  it.each([
    ['missing manifest', without('edgewise.json'), 'load-failed', 'no edgewise.json'],
    ['missing program', without('model.simd.wasm'), 'load-failed', 'no model.simd.wasm'],
    ['missing weights', without('model.weights'), 'load-failed', 'no model.weights'],
    [
      'truncated weights',
      withFile('model.weights', (b) => b.slice(0, -1)),
      'bad-package',
      'model.weights has 1863 bytes',
    ],
    [
      'long weights',
      withFile('model.weights', (b) => Uint8Array.of(...b, 0)),
      'bad-package',
      'model.weights has more',
    ],
    [
      'truncated program',
      withFile('model.simd.wasm', (b) => b.slice(0, 99)),
      'bad-package',
      'model.simd.wasm has 99',
    ],
    ['changed program', withFile('model.simd.wasm', flipped), 'bad-package', 'model.simd.wasm is damaged'],
    [
      'no JSON',
      withFile('edgewise.json', (b) => b.slice(0, 100)),
      'bad-package',
      'edgewise.json is not JSON',
    ],
  ] as const)('%s', async (_, files, code, message) => {
    const error = await errorOf(createSession(files, { rung: 'simd' }));
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) as string });
    expect(error.file).toBeDefined();
  });

  it('finds changed weights when asked to', async () => {
    const files = withFile('model.weights', flipped);
    (await createSession(files)).dispose();
    expect((await errorOf(createSession(files, { verify: true }))).message).toContain(
      'model.weights is damaged',
    );
  });

  it('names what is missing on a server or in a folder', async () => {
    await using server = await serveStatic({ root: tmpdir() });
    expect((await errorOf(createSession(`${server.origin}/nothing`))).message).toMatch(
      /cannot load edgewise.json from http.*\/nothing\/edgewise.json: HTTP status 404/,
    );
    expect((await errorOf(createSession('/nowhere'))).message).toContain('cannot read edgewise.json: ENOENT');
    expect((await errorOf(createSession('http://127.0.0.1:1/'))).message).toContain(
      'cannot load edgewise.json',
    );
  });
});
