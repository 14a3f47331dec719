import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildPackage,
  compactEncoder,
  compileEdge,
  quantizeEmbeddings,
  quantizeLinears,
  quantizeWeightsInt4,
  readOnnx,
  runPasses,
} from '@edgewise/compiler';
import { repoRoot } from '@edgewise/test-utils';

const MAX_TOKENS = 128;

/** How weights and embeddings are stored; both compute in W7A8 with dynamic activations. */
const STORAGE = {
  8: [quantizeLinears(), quantizeEmbeddings()],
  4: [quantizeWeightsInt4(), quantizeEmbeddings({ bits: 4 })],
};

/** The demo model as the compiler packages it. */
export async function sentimentPackage(bits: 4 | 8 = 8): Promise<Map<string, Uint8Array>> {
  const file = (name: string): Uint8Array => readFileSync(join(repoRoot, 'models/sentiment', name));
  const original = readOnnx(file('model.onnx'));
  const { model } = await runPasses(original, [...compactEncoder(), ...STORAGE[bits]]);
  const artifact = compileEdge(model, { maxSequence: MAX_TOKENS });
  const tokenizer = { file: 'tokenizer.json', configFile: 'tokenizer_config.json' };
  return buildPackage({
    description: {
      name: 'sentiment',
      task: 'text-classification',
      tokenizer: { ...tokenizer, maxLength: MAX_TOKENS },
      labels: ['negative', 'positive'],
    },
    model: artifact.model,
    files: new Map([
      ...artifact.files,
      ...Object.values(tokenizer).map((name) => [name, file(name)] as const),
    ]),
  });
}

export interface Example {
  readonly text: string;
  readonly label: string;
}

/** The labelled sentences that ship with the demo model. */
export function sentimentExamples(): Example[] {
  const [, ...lines] = readFileSync(join(repoRoot, 'models/sentiment/eval.tsv'), 'utf8')
    .trimEnd()
    .split('\n');
  return lines.map((line) => {
    const [text = '', label] = line.split('\t');
    return { text, label: label === '1' ? 'positive' : 'negative' };
  });
}
