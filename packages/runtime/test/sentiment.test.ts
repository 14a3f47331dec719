import { beforeAll, describe, expect, it } from 'vitest';
import { createSession } from '../src/node/index.ts';
import { load } from '../src/node/text-classification.ts';
import { sentimentExamples, sentimentPackage } from './sentiment-package.ts';

/** Correct answers of the float model with onnxruntime; 0.3 points of 640 are 2. */
const FLOAT_CORRECT = 476;
const ALLOWED_DROP = 2;

describe('the demo model from the compiler', () => {
  const examples = sentimentExamples();
  let files: Map<string, Uint8Array>;
  beforeAll(async () => {
    files = await sentimentPackage();
  });

  it('keeps its accuracy on every rung, mode and thread count, with the same bits', async () => {
    const texts = examples.map(({ text }) => text);
    const reference = await load(files, { rung: 'simd', threads: 1, verify: true });
    const expected = await reference(texts);
    reference.dispose();
    const correct = expected.filter(([best], i) => best?.label === examples[i]?.label).length;
    expect(correct).toBeGreaterThanOrEqual(FLOAT_CORRECT - ALLOWED_DROP);

    for (const options of [{ threads: 1 }, { threads: 2 }, { rung: 'simd', threads: 2 }] as const) {
      const classify = await load(files, options);
      expect({ info: classify.info, scores: await classify(texts) }).toEqual({
        info: classify.info,
        scores: expected,
      });
      classify.dispose();
    }
  });

  it('needs no more memory than weights, arena and scratch', async () => {
    const session = await createSession(files, { threads: 1 });
    const weights = files.get('model.weights')?.length ?? 0;
    expect(session.info.memoryBytes).toBeLessThan(weights + 2 ** 20);
    session.dispose();
  });
});
