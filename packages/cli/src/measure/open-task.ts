import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunnerInput, RunnerOutput, TextInput } from '@edgewise/compiler';
import type { SessionInfo } from '@edgewise/runtime';
import { MANIFEST_FILE, readManifest, type Manifest } from '@edgewise/runtime/format';
import type { RawAudio } from '@edgewise/runtime/audio';
import type { RawImage } from '@edgewise/runtime/image';
import { TASKS, takes } from '../command/task-names.ts';
import { UsageError } from '../command/usage-error.ts';

/** An input as a task takes it: files are decoded. */
export type TaskInput = TextInput | RawImage | ImagePair | RawAudio;

export type ImagePair = readonly [RawImage, RawImage];

/** What a package says about one input, as evaluation sees it. */
export type TaskAnswer = Pick<RunnerOutput, 'scores' | 'boxes'>;

/** A loaded package: inputs in, numbers out. */
export interface OpenTask {
  readonly manifest: Manifest;
  readonly info: SessionInfo;
  readonly answer: (input: TaskInput) => Promise<TaskAnswer>;
  readonly close: () => void;
}

/** Boxes that evaluation wants to see: average precision counts those of low scores too. YOLOX' own evaluation has the same. */
export const EVALUATED_SCORE = 0.01;

/** The manifest of a package folder, checked. */
export async function readPackageManifest(folder: string): Promise<Manifest> {
  return readManifest(await readFile(join(folder, MANIFEST_FILE), 'utf8'));
}

/** Loads a package folder with the runtime, tokenizer and all. The runtime's code is loaded here too, for honest times. */
export async function openTask(folder: string): Promise<OpenTask> {
  const { task } = await readPackageManifest(folder);
  switch (task) {
    case 'text-classification':
      return openTextClassifier(folder);
    case 'feature-extraction':
      return openExtractor(folder);
    case 'image-classification':
      return openImageClassifier(folder);
    case 'object-detection':
      return openDetector(folder);
    case 'image-feature-extraction':
      return openImageExtractor(folder);
    case 'audio-classification':
      return openAudioClassifier(folder);
    case 'voice-activity-detection':
      return openVoiceDetector(folder);
    default:
      throw new UsageError(`packages for ${task} cannot be run here; known are ${TASKS.join(', ')}.`);
  }
}

async function openTextClassifier(folder: string): Promise<OpenTask> {
  const { load } = await import('@edgewise/runtime/text-classification');
  const classify = await load(folder);
  const { manifest, info } = classify;
  return {
    manifest,
    info,
    answer: async (input) => ({ scores: byLabel(manifest, await classify(sentence(textOf(input)))) }),
    close: () => classify.dispose(),
  };
}

async function openExtractor(folder: string): Promise<OpenTask> {
  const { load } = await import('@edgewise/runtime/feature-extraction');
  const extract = await load(folder);
  return {
    manifest: extract.manifest,
    info: extract.info,
    answer: async (input) => {
      const { text, textPair } = textOf(input);
      const [a, b] = await extract([text, textPair ?? text]);
      return { scores: [cosine(a ?? [], b ?? [])] };
    },
    close: () => extract.dispose(),
  };
}

async function openImageClassifier(folder: string): Promise<OpenTask> {
  const { load } = await import('@edgewise/runtime/image-classification');
  const classify = await load(folder);
  const { manifest, info } = classify;
  return {
    manifest,
    info,
    answer: async (input) => ({ scores: byLabel(manifest, await classify(imageOf(input))) }),
    close: () => classify.dispose(),
  };
}

async function openImageExtractor(folder: string): Promise<OpenTask> {
  const { load } = await import('@edgewise/runtime/image-feature-extraction');
  const embed = await load(folder);
  return {
    manifest: embed.manifest,
    info: embed.info,
    answer: async (input) => {
      const [a, b] = await embed(imagePairOf(input));
      return { scores: [cosine(a ?? [], b ?? [])] };
    },
    close: () => embed.dispose(),
  };
}

async function openAudioClassifier(folder: string): Promise<OpenTask> {
  const { load } = await import('@edgewise/runtime/audio-classification');
  const classify = await load(folder);
  const { manifest, info } = classify;
  return {
    manifest,
    info,
    answer: async (input) => ({ scores: byLabel(manifest, await classify(soundOf(input))) }),
    close: () => classify.dispose(),
  };
}

/** A clip's score is the largest probability of speech in it. */
async function openVoiceDetector(folder: string): Promise<OpenTask> {
  const { load } = await import('@edgewise/runtime/voice-activity-detection');
  const detect = await load(folder);
  return {
    manifest: detect.manifest,
    info: detect.info,
    answer: async (input) => {
      const probabilities = await detect.probabilities(soundOf(input));
      return { scores: [probabilities.reduce((most, each) => Math.max(most, each), 0)] };
    },
    close: () => detect.dispose(),
  };
}

async function openDetector(folder: string): Promise<OpenTask> {
  const { load } = await import('@edgewise/runtime/object-detection');
  const detect = await load(folder);
  const { manifest, info } = detect;
  const classes = new Map(manifest.labels?.map((label, index) => [label, index]));
  return {
    manifest,
    info,
    answer: async (input) => {
      const found = await detect(imageOf(input), { scoreThreshold: EVALUATED_SCORE });
      const boxes = found.map(({ label, score, box }) => ({
        classIndex: classes.get(label) ?? -1,
        score,
        box,
      }));
      return { scores: [], boxes };
    },
    close: () => detect.dispose(),
  };
}

/** Scores in the order of the manifest's labels. */
function byLabel(
  { labels = [] }: Manifest,
  ranked: readonly { readonly label: string; readonly score: number }[],
): readonly number[] {
  const scores = new Map(ranked.map(({ label, score }) => [label, score]));
  return labels.map((label) => scores.get(label) ?? 0);
}

/** Reads what an input names. Decoders are loaded for what they decode alone. */
export async function decodeInput(input: RunnerInput, task: string): Promise<TaskInput> {
  if ('text' in input) return input;
  if (takes(task, 'audio')) return (await import('../media/decode-sound.ts')).decodeSound(input.file);
  const { decodeImage } = await import('../media/decode-image.ts');
  const image = await decodeImage(input.file);
  return input.filePair === undefined ? image : [image, await decodeImage(input.filePair)];
}

/** The answer; an error on the way to it is about the file that was decoded, and cli.ts names it. */
export async function aboutFile<T>(input: RunnerInput, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw 'file' in input ? Object.assign(error as Error, { at: { file: input.file } }) : error;
  }
}

function textOf(input: TaskInput): TextInput {
  if ('text' in input) return input;
  throw new UsageError('this package takes texts.');
}

function imageOf(input: TaskInput): RawImage {
  if ('data' in input) return input;
  throw new UsageError('this package takes images.');
}

/** An image alone is compared with itself. */
function imagePairOf(input: TaskInput): ImagePair {
  if (isPair(input)) return input;
  const image = imageOf(input);
  return [image, image];
}

export function isPair(input: TaskInput): input is ImagePair {
  return Array.isArray(input);
}

function soundOf(input: TaskInput): RawAudio {
  if ('samples' in input) return input;
  throw new UsageError('this package takes sounds.');
}

function sentence({ text, textPair }: TextInput): string | { text: string; pair: string } {
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
