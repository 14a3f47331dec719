import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkOutputFolder, writeFolder } from './write-folder.ts';

let parent = '';
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'edgewise-write-'));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

describe('writeFolder', () => {
  it('makes the folder and what is above it', async () => {
    const out = join(parent, 'a', 'b');
    await writeFolder(
      out,
      new Map<string, string | Uint8Array>([
        ['report.json', '{}'],
        ['model/x', Uint8Array.of(7)],
      ]),
    );
    expect(readdirSync(out, { recursive: true, encoding: 'utf8' }).sort()).toEqual([
      'model',
      join('model', 'x'),
      'report.json',
    ]);
    expect(readdirSync(join(parent, 'a'))).toEqual(['b']);
  });

  it('replaces an earlier result whole', async () => {
    const out = join(parent, 'out');
    await writeFolder(
      out,
      new Map([
        ['report.json', 'old'],
        ['stale', ''],
      ]),
    );
    await writeFolder(out, new Map([['report.json', 'new']]));
    expect(readdirSync(parent)).toEqual(['out']);
    expect(readdirSync(out)).toEqual(['report.json']);
    expect(readFileSync(join(out, 'report.json'), 'utf8')).toBe('new');
  });

  it('leaves everything as it was when aborted', async () => {
    const out = join(parent, 'out');
    await writeFolder(out, new Map([['report.json', 'old']]));
    await expect(writeFolder(out, new Map([['report.json', 'new']]), AbortSignal.abort())).rejects.toThrow(
      'abort',
    );
    expect(readdirSync(parent)).toEqual(['out']);
    expect(readFileSync(join(out, 'report.json'), 'utf8')).toBe('old');
  });
});

describe('checkOutputFolder', () => {
  it('takes what is missing, empty or ours, and refuses the rest', () => {
    const out = join(parent, 'out');
    checkOutputFolder(out);
    mkdirSync(out);
    checkOutputFolder(out);
    writeFileSync(join(out, 'thesis.doc'), '');
    expect(() => checkOutputFolder(out)).toThrow('exists and is not a result of edgewise');
    expect(() => checkOutputFolder(join(out, 'thesis.doc'))).toThrow('is not a folder');
    writeFileSync(join(out, 'report.json'), '');
    checkOutputFolder(out);
  });
});
