import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MANIFEST_FILE, readManifest, type Manifest } from '@edgewise/runtime/format';
import type { RunnerInput } from '@edgewise/compiler';
import type { SessionInfo } from '@edgewise/runtime';
import { UsageError } from '../command/usage-error.ts';

/** A loaded package as evaluation sees it: numbers in, numbers out. */
export interface OpenTask {
  readonly manifest: Manifest;
  readonly info: SessionInfo;
  /** Class scores by label index; for feature-extraction the cosine of the pair. */
  readonly score: (input: RunnerInput) => Promise<readonly number[]>;
  readonly close: () => void;
}

/** Tasks that can be evaluated and optimized for. */
export const TASKS = ['text-classification', 'feature-extraction'] as const;
export type TaskName = (typeof TASKS)[number];

/** The manifest of a package folder, checked. */
export async function readPackageManifest(folder: string): Promise<Manifest> {
  return readManifest(await readFile(join(folder, MANIFEST_FILE), 'utf8'));
}

/** Loads a package folder with the runtime, tokenizer and all. The runtime's code is loaded here too, for honest times. */
export async function openTask(folder: string): Promise<OpenTask> {
  const { task } = await readPackageManifest(folder);
  if (task === 'text-classification') return openClassifier(folder);
  if (task === 'feature-extraction') return openExtractor(folder);
  throw new UsageError(`packages for ${task} cannot be run here; known are ${TASKS.join(', ')}.`);
}

async function openClassifier(folder: string): Promise<OpenTask> {
  const { load } = await import('@edgewise/runtime/text-classification');
  const classify = await load(folder);
  const labels = classify.manifest.labels ?? [];
  return {
    manifest: classify.manifest,
    info: classify.info,
    score: async (input) => {
      const ranked = await classify(taskInput(input));
      const scores = new Map(ranked.map(({ label, score }) => [label, score]));
      return labels.map((label) => scores.get(label) ?? 0);
    },
    close: () => classify.dispose(),
  };
}

async function openExtractor(folder: string): Promise<OpenTask> {
  const { load } = await import('@edgewise/runtime/feature-extraction');
  const extract = await load(folder);
  return {
    manifest: extract.manifest,
    info: extract.info,
    score: async ({ text, textPair }) => {
      const [a, b] = await extract([text, textPair ?? text]);
      return [cosine(a ?? [], b ?? [])];
    },
    close: () => extract.dispose(),
  };
}

function taskInput({ text, textPair }: RunnerInput): string | { text: string; pair: string } {
  return textPair === undefined ? text : { text, pair: textPair };
}

/** Cosine of the angle between two vectors of one length; 0 when either is zero. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let product = 0;
  let squaresA = 0;
  let squaresB = 0;
  for (let i = 0; i < a.length; i++) {
    const x = a[i] ?? 0;
    const y = b[i] ?? 0;
    product += x * y;
    squaresA += x * x;
    squaresB += y * y;
  }
  return product === 0 ? 0 : product / Math.sqrt(squaresA * squaresB);
}
