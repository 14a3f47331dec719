import { expect, it } from 'vitest';
import type { FileContent } from '../format/index.ts';
import { readFile } from '../package/package-reader.ts';
import { piecesReader } from './pieces-reader.ts';

const bytes = Uint8Array.of(1, 2, 3, 4, 5);
const reader = piecesReader(
  new Map<string, FileContent>([
    ['whole', bytes],
    [
      'pieces',
      {
        length: 5,
        *pieces() {
          const piece = new Uint8Array(3);
          piece.set([1, 2, 3]);
          yield piece;
          piece.set([4, 5]);
          yield piece.subarray(0, 2);
        },
      },
    ],
  ]),
);

it.each(['whole', 'pieces'])('reads a file: %s', async (name) => {
  for (let reading = 0; reading < 2; reading++) {
    const read = await readFile(reader, name, { bytes: 5, sha256: '' }, { verify: false });
    expect(read).toEqual(bytes);
  }
});

it('names a file that is missing', async () => {
  const entry = { bytes: 5, sha256: '' };
  await expect(readFile(reader, 'other', entry, { verify: false })).rejects.toThrow(
    'the package has no other',
  );
});
