import { describe, expect, it } from 'vitest';
import { seededRandom } from '@edgewise/test-utils';
import type { WeightSection } from '../format/index.ts';
import type { PackageReader } from '../package/package-reader.ts';
import { RuntimeError } from '../runtime-error.ts';
import { loadWeights } from './load-weights.ts';

const sections: WeightSection[] = [
  { offset: 3, bytes: 10, address: 100, encoding: 'raw' },
  { offset: 13, bytes: 0, address: 0, encoding: 'raw' },
  { offset: 20, bytes: 5, address: 20, encoding: 'int4', count: 9 },
  { offset: 25, bytes: 30, address: 40, encoding: 'raw' },
];
const file = Uint8Array.from({ length: 60 }, (_, i) => i + 1);
const expected = new Uint8Array(128);
expected.set(file.subarray(3, 13), 100);
expected.set(file.subarray(20, 25), 24);
expected.set(file.subarray(25, 55), 40);

/** Gives the chunks in one buffer that is overwritten, as readers may. */
function readerOf(chunks: readonly Uint8Array[]): PackageReader {
  const buffer = new Uint8Array(64);
  return {
    source: 'test',
    // oxlint-disable-next-line typescript/require-await
    async *open() {
      for (const chunk of chunks) {
        buffer.set(chunk);
        yield buffer.subarray(0, chunk.length);
        buffer.fill(255);
      }
    },
  };
}

async function load(chunks: readonly Uint8Array[]): Promise<Uint8Array> {
  const memory = new Uint8Array(128);
  const signal = new AbortController().signal;
  const entry = { bytes: file.length, sha256: '' };
  await loadWeights(readerOf(chunks), { file: 'w', sections }, entry, memory.buffer, {
    verify: false,
    signal,
  });
  return memory;
}

describe('loadWeights', () => {
  it('puts every section in its place however the file is cut', async () => {
    const random = seededRandom(4);
    for (let round = 0; round < 200; round++) {
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < file.length;) {
        const size = random.int(0, round % 2 ? 40 : 4);
        chunks.push(file.subarray(at, at + size));
        at += size;
      }
      expect(await load(chunks)).toEqual(expected);
    }
    expect(await load([file])).toEqual(expected);
  });

  it('refuses a file of another size', async () => {
    await expect(load([file.subarray(1)])).rejects.toThrow('w has 59 bytes, edgewise.json says 60');
    await expect(load([file, Uint8Array.of(1)])).rejects.toThrow('w has more bytes');
    await expect(load([])).rejects.toBeInstanceOf(RuntimeError);
  });
});
