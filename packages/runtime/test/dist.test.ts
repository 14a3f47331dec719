import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { repoRoot } from '@edgewise/test-utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyPackage, tinyReference } from './tiny-package.ts';

const entry = join(repoRoot, 'packages/runtime/dist/node/index.js');

/** The built files in a process of their own, as a user runs them. */
describe.skipIf(!existsSync(entry) && !process.env['CI'])('the built package in Node', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'edgewise-'));
    for (const [name, bytes] of tinyPackage().files) await writeFile(join(folder, name), bytes);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('runs on threads, and a session that nobody disposed does not keep the process alive', async () => {
    const code = `
      import { createSession } from '@edgewise/runtime';
      const session = await createSession(process.argv[1], { threads: 2 });
      const { logits } = await session.run({ input_ids: [1, 2, 3] });
      console.log(JSON.stringify({ logits: [...logits.data], ...session.info }));
    `;
    const run = promisify(execFile);
    const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', code, folder], {
      cwd: join(repoRoot, 'packages/runtime'),
      timeout: 20_000,
    });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({
      logits: tinyReference([1, 2, 3]).logits,
      rung: 'relaxed',
      threads: 2,
    });
  });
});
