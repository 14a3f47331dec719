import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { mapReader } from './map-reader.ts';
import { readFile } from './package-reader.ts';

const bytes = Uint8Array.of(1, 2, 3);
const sha256 = createHash('sha256').update(bytes).digest('hex');
const reader = mapReader(new Map([['file', bytes]]));
const plain = { verify: false };

describe('readFile', () => {
  it('reads and, when told to, verifies', async () => {
    expect(await readFile(reader, 'file', { bytes: 3, sha256: '' }, plain)).toEqual(bytes);
    expect(await readFile(reader, 'file', { bytes: 3, sha256 }, { verify: true })).toEqual(bytes);
    await expect(readFile(reader, 'file', { bytes: 3, sha256: '0' }, { verify: true })).rejects.toThrow(
      `file is damaged: its SHA-256 is ${sha256}, edgewise.json says 0`,
    );
  });

  it('refuses another size, a missing file, one without end, and one that fits nowhere', async () => {
    await expect(readFile(reader, 'file', { bytes: 2, sha256 }, plain)).rejects.toThrow(
      'file has more bytes',
    );
    await expect(readFile(reader, 'file', { bytes: 4, sha256 }, plain)).rejects.toThrow('file has 3 bytes');
    await expect(readFile(reader, 'other', { bytes: 4, sha256 }, plain)).rejects.toThrow(
      'the package has no other',
    );
    await expect(readFile(reader, 'file', { bytes: 2 ** 53, sha256 }, plain)).rejects.toMatchObject({
      code: 'unsupported',
      file: 'file',
    });
    const endless = {
      source: '',
      // oxlint-disable-next-line typescript/require-await
      async *open() {
        for (;;) yield bytes;
      },
    };
    await expect(readFile(endless, 'file', { bytes: 7, sha256 }, plain)).rejects.toThrow(
      'file has more bytes',
    );
  });

  it('stops at the signal', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(readFile(reader, 'file', { bytes: 3, sha256 }, { verify: false, signal })).rejects.toThrow(
      'enough',
    );
  });
});
