import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repoRoot } from '@edgewise/test-utils';
import type { Manifest } from '../format/index.ts';
import { mapReader } from '../package/map-reader.ts';
import { importTokenizerLibrary, loadTokenizer, type Encode } from './load-tokenizer.ts';

/** What the `tokenizers` library answers: oracles/tokenizers_cases.py. */
interface Recorded {
  readonly maxLength: number;
  readonly cases: readonly { text: string; pair?: string; ids: number[]; typeIds: number[] }[];
}

const fixture = (name: string): URL => new URL(`../../test/fixtures/tokenizers/${name}`, import.meta.url);
const recordedFor = (name: string): Recorded[] =>
  JSON.parse(readFileSync(fixture(`${name}.cases.json`), 'utf8')) as Recorded[];

async function load(bytes: Uint8Array, maxLength: number, config?: string): Promise<Encode> {
  const files = new Map([['tokenizer.json', bytes]]);
  if (config !== undefined) files.set('tokenizer_config.json', new TextEncoder().encode(config));
  const manifest: Manifest = {
    format: 'edgewise',
    formatVersion: 1,
    name: 'test',
    task: 'text-classification',
    model: { kind: 'onnx', file: 'model.onnx' },
    tokenizer: {
      file: 'tokenizer.json',
      ...(config === undefined ? {} : { configFile: 'tokenizer_config.json' }),
      maxLength,
    },
    files: Object.fromEntries([...files].map(([name, { length }]) => [name, { bytes: length, sha256: '' }])),
  };
  const signal = new AbortController().signal;
  return loadTokenizer(manifest, mapReader(files), importTokenizerLibrary(), { verify: false, signal });
}

async function expectRecorded(tokenizer: Uint8Array, recorded: readonly Recorded[]): Promise<void> {
  for (const { maxLength, cases } of recorded) {
    const encode = await load(tokenizer, maxLength);
    const actual = cases.map(({ text, pair }) => ({
      text,
      ...(pair === undefined ? {} : { pair }),
      ...encode(text, pair),
    }));
    expect(actual).toEqual(cases);
  }
}

describe('loadTokenizer', () => {
  it.each(['wordpiece', 'byte-level-bpe', 'unigram'])(
    'gives the ids of the tokenizers library: %s',
    async (name) => {
      await expectRecorded(readFileSync(fixture(`${name}.json`)), recordedFor(name));
    },
  );

  it('gives the ids of the tokenizers library: the demo model', async () => {
    const tokenizer = readFileSync(join(repoRoot, 'models/sentiment/tokenizer.json'));
    await expectRecorded(tokenizer, recordedFor('sentiment'));
  });

  it('names the file that is damaged', async () => {
    await expect(load(new TextEncoder().encode('{'), 16)).rejects.toThrow('tokenizer.json is not JSON');
    await expect(load(new TextEncoder().encode('{}'), 16)).rejects.toThrow('tokenizer.json cannot be used');
    const good = readFileSync(fixture('wordpiece.json'));
    await expect(load(good, 16, 'null')).rejects.toThrow('tokenizer.json cannot be used');
    await expect(load(good, 2)).rejects.toThrow('adds 3 special tokens, more than maxLength (2)');
  });
});
