import { readFileSync } from 'node:fs';
import { itWithAssets, sharedAsset } from '@edgewise/test-utils';
import { expect } from 'vitest';
import type { Manifest } from '../src/format/index.ts';
import { load } from '../src/node/image-classification.ts';
import { imagePackage, MOBILENET_PREPROCESSING, readImageFile } from './image-assets.ts';

const DATA = 'datasets/imagenet1k-sample';
const TIMEOUT_MS = 300_000;

/** Lines of labels.csv: file, wnid, class_index, name. */
function readLabels(): { path: string; gold: number }[] {
  const [, ...lines] = readFileSync(sharedAsset(`${DATA}/labels.csv`), 'utf8')
    .trimEnd()
    .split('\n');
  return lines.map((line) => {
    const [file = '', , index = ''] = line.split(',');
    return { path: sharedAsset(`${DATA}/images/${file}`), gold: Number(index) };
  });
}

/** How many images have their class first, and among the first five. */
async function countHits(model: string, fields: Partial<Manifest>): Promise<number[]> {
  const labels = Array.from({ length: 1000 }, (_, index) => String(index));
  const task = 'image-classification';
  const preprocessing = MOBILENET_PREPROCESSING;
  const classify = await load(imagePackage(model, { task, labels, preprocessing, ...fields }), {
    threads: 2,
  });
  const hits = [0, 0, 0];
  for (const { path, gold } of readLabels()) {
    const top = await classify(await readImageFile(path), { topK: 5 });
    const place = top.findIndex(({ label }) => label === String(gold));
    if (place === 0) hits[0]!++;
    if (place >= 0) hits[1]!++;
    hits[2]!++;
  }
  classify.dispose();
  return hits;
}

itWithAssets(
  'mobilenet_v1_0.25_224 reaches the recorded baseline: 405 and 557 of 688 (58.87 %, 80.96 %)',
  [DATA, 'models/vision/mobilenet_v1_0.25_224.onnx'],
  async () => expect(await countHits('vision/mobilenet_v1_0.25_224.onnx', {})).toEqual([405, 557, 688]),
  TIMEOUT_MS,
);

itWithAssets(
  'mobilenet_v2, with probabilities and a background class, too: 589 and 670 of 688 (85.61 %, 97.38 %)',
  [DATA, 'models/vision/mobilenet_v2_1.0_224_deq.onnx'],
  async () => {
    const fields = { scores: 'probabilities', labelOffset: 1 } as const;
    expect(await countHits('vision/mobilenet_v2_1.0_224_deq.onnx', fields)).toEqual([589, 670, 688]);
  },
  TIMEOUT_MS,
);
