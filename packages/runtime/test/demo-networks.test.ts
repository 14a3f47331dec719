import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Model } from '@edgewise/compiler';
import { expectTensorClose } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { meanAveragePrecision, readCoco } from '../../compiler/src/evaluate/index.ts';
import { prepareImage } from '../src/node/image.ts';
import { load as loadClassifier } from '../src/node/image-classification.ts';
import { createSession } from '../src/node/index.ts';
import { load as loadDetector } from '../src/node/object-detection.ts';
import {
  compactNetwork,
  edgePackage,
  listImageFiles,
  onnxPackage,
  quantizeNetwork,
  readDemoNetwork,
  type DemoNetwork,
} from './demo-network.ts';
import { readImageFile } from './image-assets.ts';

// models/vision and models/detection: what their cards say, and what int8 costs.

type Package = Map<string, Uint8Array>;

/** Of logits, offsets, log sizes and probabilities: sums in another order. */
const TOLERANCE = { abs: 1e-4, rel: 1e-4 };
/** For the mean average precision: lower than what an app is shown. */
const SCORE_THRESHOLD = 0.01;

/** Seconds on a free machine. */
const TIMEOUT_MS = 180_000;

/** Measured by the scripts beside the models. */
const FLOAT_RIGHT = 366;
const FLOAT_PRECISION = [0.7643, 0.9419] as const;

const vision = readDemoNetwork('vision');
const detection = readDemoNetwork('detection');

describe('models/vision', () => {
  const paths = vision.description.labels.flatMap((label) =>
    listImageFiles(join(vision.folder, 'eval', label)),
  );

  it('gets as many of the images right as Python says: 366 of 384', async () => {
    expect(paths).toHaveLength(384);
    expect(await countRight(await onnxPackage(vision.description, vision.bytes), paths)).toBe(FLOAT_RIGHT);
  });

  it('is the same when compact, in onnxruntime and on the engine', async () => {
    const compact = await compactNetwork(vision);
    expect(compact.graph.nodes.map(({ opType }) => opType)).not.toContain('BatchNormalization');
    await expectSameOutputs(
      vision,
      compact,
      paths.filter((_, index) => index % 24 === 0),
    );
  });

  it(
    'loses at most 1 point, 3 images, in int8 on the engine',
    async () => {
      const quantized = await edgePackage(vision.description, await quantizeNetwork(vision));
      expect(await countRight(quantized, paths)).toBeGreaterThanOrEqual(FLOAT_RIGHT - 3);
    },
    TIMEOUT_MS,
  );
});

describe('models/detection', () => {
  it('finds as much as Python says', async () => {
    const found = await precision(await onnxPackage(detection.description, detection.bytes));
    expectTensorClose(found, FLOAT_PRECISION, { abs: 0.001 });
  });

  it('is the same when compact, in onnxruntime and on the engine', async () => {
    const compact = await compactNetwork(detection);
    const paths = listImageFiles(join(detection.folder, 'eval'));
    await expectSameOutputs(detection, compact, paths.slice(0, 16));
  });

  it(
    'loses at most 2 points in int8 on the engine',
    async () => {
      const quantized = await edgePackage(detection.description, await quantizeNetwork(detection));
      const [all = 0, half = 0] = await precision(quantized);
      expect(all).toBeGreaterThan(FLOAT_PRECISION[0] - 0.02);
      expect(half).toBeGreaterThan(FLOAT_PRECISION[1] - 0.02);
    },
    TIMEOUT_MS,
  );
});

/** How many images are given the label that their folder is named for. */
async function countRight(files: Package, paths: readonly string[]): Promise<number> {
  const classify = await loadClassifier(files, { threads: 1 });
  let right = 0;
  for (const path of paths) {
    const [best] = await classify(await readImageFile(path), { topK: 1 });
    if (best?.label === basename(dirname(path))) right++;
  }
  classify.dispose();
  return right;
}

/** Mean average precision on the images of `eval/`, 0…1: over COCO's thresholds and at 0.5. */
async function precision(files: Package): Promise<readonly number[]> {
  const { description, folder } = detection;
  const file = join(folder, 'eval', 'annotations.json');
  const { examples } = readCoco(readFileSync(file), { file, labels: description.labels });
  const detect = await loadDetector(files, { threads: 1 });
  const images = [];
  for (const { file: image, gold } of examples) {
    const boxes = await detect(await readImageFile(join(folder, 'eval', image)), {
      scoreThreshold: SCORE_THRESHOLD,
    });
    const found = boxes.map(({ label, ...box }) => ({
      ...box,
      classIndex: description.labels.indexOf(label),
    }));
    images.push({ found, golds: gold.boxes });
  }
  detect.dispose();
  return [meanAveragePrecision(images), meanAveragePrecision(images, { thresholds: [0.5] })];
}

/** Expects a graph to give the outputs of the ONNX file, in onnxruntime and on the engine. */
async function expectSameOutputs(
  network: DemoNetwork,
  model: Model,
  paths: readonly string[],
): Promise<void> {
  const { description, bytes } = network;
  const expected = await outputsOf(await onnxPackage(description, bytes), network, paths);
  for (const files of [await onnxPackage(description, model), await edgePackage(description, model)]) {
    const actual = await outputsOf(files, network, paths);
    actual.forEach((values, index) => expectTensorClose(values, expected[index]!, TOLERANCE));
  }
}

/** A model's first output for each image. */
async function outputsOf(
  files: Package,
  { description }: DemoNetwork,
  paths: readonly string[],
): Promise<Float32Array[]> {
  const session = await createSession(files, { threads: 1 });
  const [input, output] = [session.inputs[0]!.name, session.outputs[0]!.name];
  const results = [];
  for (const path of paths) {
    const prepared = await prepareImage(await readImageFile(path), description.preprocessing);
    const outputs = await session.run({ [input]: prepared.input.data });
    results.push(outputs[output]!.data as Float32Array);
  }
  session.dispose();
  return results;
}
