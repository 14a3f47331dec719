import { statSync } from 'node:fs';
import { join } from 'node:path';
import { repoRoot } from '@edgewise/test-utils';
import { beforeAll, describe, expect, it } from 'vitest';
import { createSession } from '../src/node/index.ts';
import { load } from '../src/node/text-classification.ts';
import { sentimentExamples, sentimentPackage } from './sentiment-package.ts';

/** Correct answers of the float model with onnxruntime. */
const FLOAT_CORRECT = 476;

/** Allowed drop of correct answers: 0.3 points of 640 are 2, 1 point is 6. */
const STORAGES = [
  { bits: 8, allowedDrop: 2, share: 0.27 },
  { bits: 4, allowedDrop: 6, share: 0.17 },
] as const;

describe.each(STORAGES)(
  'the demo model from the compiler, stored in $bits bits',
  ({ bits, allowedDrop, share }) => {
    const examples = sentimentExamples();
    let files: Map<string, Uint8Array>;
    beforeAll(async () => {
      files = await sentimentPackage(bits);
    });

    it('keeps its accuracy on every rung, mode and thread count, with the same bits', async () => {
      const texts = examples.map(({ text }) => text);
      const reference = await load(files, { rung: 'simd', threads: 1, verify: true });
      const expected = await reference(texts);
      reference.dispose();
      const correct = expected.filter(([best], i) => best?.label === examples[i]?.label).length;
      expect(correct).toBeGreaterThanOrEqual(FLOAT_CORRECT - allowedDrop);

      for (const options of [{ threads: 1 }, { threads: 2 }, { rung: 'simd', threads: 2 }] as const) {
        const classify = await load(files, options);
        const { info } = classify;
        expect({ info, scores: await classify(texts) }).toEqual({ info, scores: expected });
        classify.dispose();
      }
    });

    it('is small', () => {
      const original = statSync(join(repoRoot, 'models/sentiment/model.onnx')).size;
      expect(files.get('model.weights')?.length).toBeLessThanOrEqual(share * original);
    });

    it('needs no more memory than weights, arena and scratch', async () => {
      const session = await createSession(files, { threads: 1 });
      expect(session.info.memoryBytes).toBeLessThan(3 * 2 ** 20);
      session.dispose();
    });
  },
);
