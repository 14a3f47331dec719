import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { describeWithAssets, sharedAsset } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import {
  externalDataFrom,
  parseModel,
  printModel,
  readOnnx,
  validateModel,
  writeOnnx,
  type Model,
} from '../src/index.ts';
import { runOnnx } from './onnxruntime.ts';
import { EXPORTS, SHARED, randomFeeds } from './sample-models.ts';

describe('ONNX round trip', () => {
  it.each(readdirSync(EXPORTS).filter((name) => name.endsWith('.onnx')))('%s', async (name) => {
    await expectRoundTrip(join(EXPORTS, name));
  });
});

describeWithAssets('ONNX round trip of trained models', SHARED, () => {
  it.each(SHARED)('%s', async (path) => {
    await expectRoundTrip(sharedAsset(path));
  });

  it('covers every ONNX file there is', () => {
    const found = ['models', 'own'].flatMap((folder) =>
      readdirSync(sharedAsset(folder), { recursive: true, encoding: 'utf8' })
        .filter((path) => path.endsWith('.onnx'))
        .map((path) => `${folder}/${path}`),
    );
    expect(found.toSorted()).toEqual(SHARED);
  });

  it('keeps weights as views on the file and copies them once into the result', () => {
    const bytes = new Uint8Array(readFileSync(sharedAsset('own/sst2-base/model.onnx')));
    const { graph } = readOnnx(bytes);
    const weights = [...graph.initializers.values()].filter((tensor) => tensor.kind === 'dense');
    expect(weights.length).toBeGreaterThan(80);
    expect(weights.every((tensor) => tensor.data.buffer === bytes.buffer)).toBe(true);
  });

  it('moves weights to external data that onnxruntime finds', async () => {
    const model = readOnnx(readFileSync(sharedAsset('own/sst2-tiny/model.onnx')));
    const { bytes, externalData } = writeOnnx(model, { external: { location: 'model.onnx.data' } });
    if (externalData === undefined) throw new Error('nothing became external');
    expect(bytes.length).toBeLessThan(150_000);
    const weights = Buffer.concat(externalData.parts);
    expect(weights.length).toBe(externalData.byteLength);
    const external = externalDataFrom(new Map([['model.onnx.data', weights]]));
    expect(isDeepStrictEqual(readOnnx(bytes, { external }), model)).toBe(true);

    const folder = mkdtempSync(join(tmpdir(), 'edgewise-'));
    try {
      writeFileSync(join(folder, 'model.onnx'), bytes);
      writeFileSync(join(folder, 'model.onnx.data'), weights);
      const feeds = randomFeeds(model);
      const expected = await runOnnx(readFileSync(sharedAsset('own/sst2-tiny/model.onnx')), feeds);
      expect(expected).toHaveProperty('outputs');
      expect(await runOnnx(join(folder, 'model.onnx'), feeds)).toEqual(expected);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

async function expectRoundTrip(path: string): Promise<void> {
  const original = readFileSync(path);
  const model = readOnnx(original, { file: basename(path) });
  expect(validateModel(model)).toEqual([]);
  const { bytes } = writeOnnx(model);
  expect(isDeepStrictEqual(readOnnx(bytes), model)).toBe(true);
  expectTextRoundTrip(model);

  const feeds = randomFeeds(model);
  const [before, after] = [await runOnnx(original, feeds), await runOnnx(bytes, feeds)];
  expect(before).toHaveProperty('outputs');
  expect(isDeepStrictEqual(after, before)).toBe(true);
}

/** Content that the text leaves out is replaced; graph, names, types and attributes must come back. */
function expectTextRoundTrip(model: Model): void {
  const text = printModel(model).replaceAll(/hash\(\w+\)/g, 'random(1)');
  expect(printModel(parseModel(text)) === text).toBe(true);
}
