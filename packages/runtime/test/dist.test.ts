import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { repoRoot } from '@edgewise/test-utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyPackage, tinyReference, type TinyPackage } from './tiny-package.ts';

const entry = join(repoRoot, 'packages/runtime/dist/node/index.js');

/** The built files in a process of their own, as a user runs them. */
describe.skipIf(!existsSync(entry) && !process.env['CI'])('the built package in Node', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'edgewise-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const write = async (name: string, { files }: TinyPackage): Promise<string> => {
    const path = join(folder, name);
    await mkdir(path);
    for (const [file, bytes] of files) await writeFile(join(path, file), bytes);
    return path;
  };
  /** Runs the code as a module; what it prints is JSON. */
  const run = async (code: string, ...args: string[]): Promise<unknown> => {
    const cwd = join(repoRoot, 'packages/runtime');
    const command = ['--input-type=module', '-e', code, ...args];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, command, { cwd, timeout: 30_000 });
    expect(stderr).toBe('');
    return JSON.parse(stdout);
  };

  it('runs on threads, and a session that nobody disposed does not keep the process alive', async () => {
    const code = `
      import { createSession } from '@edgewise/runtime';
      const session = await createSession(process.argv[1], { threads: 2 });
      const { logits } = await session.run({ input_ids: [1, 2, 3] });
      console.log(JSON.stringify({ logits: [...logits.data], ...session.info }));
    `;
    expect(await run(code, await write('tiny', tinyPackage()))).toMatchObject({
      logits: tinyReference([1, 2, 3]).logits,
      rung: 'relaxed',
      threads: 2,
    });
  });

  // The kernel's own high-water mark; what getrusage reports starts with the parent's.
  it.skipIf(process.platform !== 'linux')(
    'loads with at most 8 MiB more than weights and arena',
    async () => {
      const code = `
      import { readFileSync } from 'node:fs';
      import { createSession } from '@edgewise/runtime';
      const peak = () => 1024 * Number(/VmHWM:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
      (await createSession(process.argv[1])).dispose();
      const before = peak();
      const session = await createSession(process.argv[2]);
      await session.run({ input_ids: [1] });
      const grown = peak() - before;
      console.log(JSON.stringify({ memory: session.info.memoryBytes, grown }));
    `;
      const small = await write('small', tinyPackage());
      const large = await write('large', tinyPackage({ ballastBytes: 96 * 2 ** 20 }));
      const { memory, grown } = (await run(code, small, large)) as { memory: number; grown: number };
      expect(memory).toBeGreaterThan(96 * 2 ** 20);
      expect(grown).toBeGreaterThan(90 * 2 ** 20);
      expect(grown).toBeLessThan(memory + 8 * 2 ** 20);
    },
  );
});
