import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readInput } from './read-input.ts';
import { systemErrorText } from './system-error.ts';

it('reads a file, and says what is wrong with a path that is none', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'edgewise-input-'));
  const file = join(folder, 'a.tsv');
  writeFileSync(file, 'x');
  expect((await readInput(file)).toString()).toBe('x');
  const missing = join(folder, 'b.tsv');
  await expect(readInput(missing)).rejects.toThrow(`${missing} does not exist.`);
  await expect(readInput(folder)).rejects.toThrow(`${folder} is a folder, not a file.`);
  await expect(readInput(join(file, 'c'))).rejects.toThrow('goes through a file as if it were a folder.');
  rmSync(folder, { recursive: true });
});

it('has words for errors about files only', () => {
  const error = (code: string, path?: string): Error =>
    Object.assign(new Error(`${code}: as Node says it`), { code, ...(path === undefined ? {} : { path }) });
  expect(systemErrorText(error('EACCES', '/etc/shadow'))).toBe('/etc/shadow is not accessible to this user.');
  expect(systemErrorText(error('ENOSPC'))).toBe('The disk is full.');
  expect(systemErrorText(error('ECONNRESET'))).toBeUndefined();
  expect(systemErrorText(new Error('anything else'))).toBeUndefined();
});
