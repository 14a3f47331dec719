import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import {
  classExamples,
  labelExamples,
  readFileTable,
  scoreExamples,
  type AnswerKind,
  type Dataset,
  type FileInput,
  type GoldExample,
} from '@edgewise/compiler';
import { UsageError } from '../command/usage-error.ts';
import { listFolders, listMedia, type Media } from '../files/media.ts';
import { readInput } from '../files/read-input.ts';

export type FileExample = GoldExample<GoldExample['gold'], FileInput>;

export interface ReadFileExamplesOptions {
  readonly media: Media;
  readonly kind: AnswerKind;
  readonly labels: readonly string[];
  /** Whether each example is two files. */
  readonly pairs?: boolean;
}

/**
 * Reads labelled images or sounds: a folder with a folder for each class, or a table (.csv, .tsv, .jsonl) with columns file
 * and label, or score. Paths in a file are relative to it, or to a folder beside it that is named as the media are (images/).
 * @throws UsageError or CompilerError naming what is missing, unreadable or unknown
 */
export async function readFileExamples(
  path: string,
  options: ReadFileExamplesOptions,
): Promise<readonly FileExample[]> {
  if (!existsSync(path)) throw new UsageError(`${path} does not exist.`);
  return statSync(path).isDirectory() ? readClassFolders(path, options) : readTable(path, options);
}

function readClassFolders(
  folder: string,
  { media, kind, labels, pairs = false }: ReadFileExamplesOptions,
): readonly FileExample[] {
  if (kind === 'labels' || kind === 'score')
    throw new UsageError(
      `${folder} is a folder; here a table with columns ${pairs ? 'file, file_pair' : 'file'} and ${kind} is needed.`,
    );
  const examples = listFolders(folder).flatMap((name) =>
    listMedia(join(folder, name), media).map((file) => ({ file, label: name })),
  );
  if (examples.length === 0)
    throw new UsageError(
      `${folder} has no folders with ${media.plural}.`,
      'Give it a folder for each class, named as the class is.',
    );
  return classExamples({ name: folder, examples }, labels);
}

async function readTable(
  path: string,
  { media, kind, labels, pairs = false }: ReadFileExamplesOptions,
): Promise<readonly FileExample[]> {
  const table = readFileTable(await readInput(path), { file: path });
  return goldsOf(table, kind, labels).map(({ gold, file, filePair }) => ({
    gold,
    file: fileBeside(path, file, media),
    ...(pairs ? { filePair: secondFile(path, filePair, media) } : {}),
  }));
}

function secondFile(path: string, file: string | undefined, media: Media): string {
  if (file !== undefined) return fileBeside(path, file, media);
  throw new UsageError(
    `${path} has an example of one ${media.name}; this task compares two.`,
    'Name the second in a column file_pair.',
  );
}

function goldsOf(
  table: Dataset<FileInput>,
  kind: AnswerKind,
  labels: readonly string[],
): readonly FileExample[] {
  if (kind === 'score') return scoreExamples(table);
  return kind === 'labels' ? labelExamples(table, labels) : classExamples(table, labels);
}

/** Where the files may be that a table lists: beside it, or in a folder beside it. */
export function fileBeside(table: string, file: string, { plural }: Media): string {
  const folder = dirname(table);
  const places = ['', plural, 'wav'].map((name) => resolve(folder, name, file));
  const found = places.find(existsSync);
  if (found !== undefined) return found;
  throw new UsageError(
    `${table} names ${file}, which is neither in ${folder} nor in ${join(folder, plural)}.`,
  );
}
