import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import {
  classExamples,
  labelExamples,
  readCoco,
  readImageTable,
  readYoloBoxes,
  type AnswerKind,
  type GoldExample,
  type ImageInput,
} from '@edgewise/compiler';
import sharp from 'sharp';
import { UsageError } from '../command/usage-error.ts';
import { readInput } from '../files/read-input.ts';
import { isImageName, listFolders, listImages } from '../image/list-images.ts';

export type ImageExample = GoldExample<GoldExample['gold'], ImageInput>;

/** Names that COCO's annotations have inside a folder of images. */
const COCO_FILES = ['annotations.json', '_annotations.coco.json', 'instances.json'];

/**
 * Reads labelled images. Classes: a folder with a folder for each class, or a table (.csv, .tsv, .jsonl) with columns file
 * and label. Boxes: COCO's JSON, a folder with it, or a folder of YOLO's with images/ and labels/. Paths in a file are
 * relative to it, or to a folder images/ beside it.
 * @throws UsageError or CompilerError naming what is missing, unreadable or unknown
 */
export async function readImageExamples(
  path: string,
  kind: AnswerKind,
  labels: readonly string[],
): Promise<readonly ImageExample[]> {
  if (!existsSync(path)) throw new UsageError(`${path} does not exist.`);
  const isFolder = statSync(path).isDirectory();
  const examples =
    kind === 'boxes'
      ? await readBoxes(path, isFolder, labels)
      : isFolder
        ? readClassFolders(path, kind, labels)
        : await readTable(path, kind, labels);
  if (examples.length === 0) throw new UsageError(`${path} holds no images.`);
  return examples;
}

function readClassFolders(
  folder: string,
  kind: AnswerKind,
  labels: readonly string[],
): readonly ImageExample[] {
  if (kind === 'labels')
    throw new UsageError(
      `${folder} is a folder; several labels of one image need a table with file and labels.`,
    );
  const examples = listFolders(folder).flatMap((name) =>
    listImages(join(folder, name)).map((image) => ({ image, label: name })),
  );
  if (examples.length === 0)
    throw new UsageError(
      `${folder} has no folders with images.`,
      'Give it a folder for each class, named as the class is.',
    );
  return classExamples({ name: folder, examples }, labels);
}

async function readTable(
  file: string,
  kind: AnswerKind,
  labels: readonly string[],
): Promise<readonly ImageExample[]> {
  const table = readImageTable(await readInput(file), { file });
  const golds = kind === 'labels' ? labelExamples(table, labels) : classExamples(table, labels);
  return golds.map((example) => ({ ...example, image: imageBeside(file, example.image) }));
}

async function readBoxes(
  path: string,
  isFolder: boolean,
  labels: readonly string[],
): Promise<readonly ImageExample[]> {
  const coco = isFolder ? COCO_FILES.map((name) => join(path, name)).find(existsSync) : path;
  if (coco === undefined) return readYoloFolder(path, labels);
  const { examples } = readCoco(await readInput(coco), { file: coco, labels });
  return examples.map(({ image, gold }) => ({ image: imageBeside(coco, image), gold }));
}

/** images/NAME.jpg with the boxes of labels/NAME.txt; an image without a file of boxes has none. */
function readYoloFolder(folder: string, labels: readonly string[]): Promise<readonly ImageExample[]> {
  const [images, boxes] = [join(folder, 'images'), join(folder, 'labels')];
  if (!existsSync(images) || !existsSync(boxes))
    throw new UsageError(
      `${folder} has neither ${COCO_FILES[0]} nor images/ and labels/.`,
      "Give COCO's JSON or a folder of YOLO's.",
    );
  const names = readdirSync(images).filter(isImageName).sort();
  return Promise.all(
    names.map(async (name) => {
      const file = join(boxes, `${basename(name, extname(name))}.txt`);
      const image = join(images, name);
      if (!existsSync(file)) return { image, gold: { boxes: [] } };
      const { width, height } = await uprightSize(image);
      const options = { file, width, height, classCount: labels.length };
      return { image, gold: { boxes: readYoloBoxes(readFileSync(file, 'utf8'), options) } };
    }),
  );
}

/** Pixels of an image as it is seen, turned by its EXIF orientation. */
async function uprightSize(path: string): Promise<{ readonly width: number; readonly height: number }> {
  try {
    const { autoOrient } = await sharp(path).metadata();
    return autoOrient;
  } catch (cause) {
    throw new UsageError(`${path} cannot be read as an image: ${(cause as Error).message}`);
  }
}

/** A path as a data file has it: beside the file or in images/ beside it. */
export function imageBeside(file: string, image: string): string {
  const folder = dirname(file);
  const places = [resolve(folder, image), join(folder, 'images', image)];
  const found = places.find(existsSync);
  if (found !== undefined) return found;
  throw new UsageError(
    `${file} names ${image}, which is neither in ${folder} nor in ${join(folder, 'images')}.`,
  );
}
