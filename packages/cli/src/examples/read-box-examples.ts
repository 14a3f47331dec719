import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { readCoco, readYoloBoxes } from '@edgewise/compiler';
import { UsageError } from '../command/usage-error.ts';
import { IMAGES, isNamedAs } from '../files/media.ts';
import { readInput } from '../files/read-input.ts';
import { uprightSize } from '../media/upright-size.ts';
import { fileBeside, type FileExample } from './read-file-examples.ts';

/** Names that COCO's annotations have inside a folder of images. */
const COCO_FILES = ['annotations.json', '_annotations.coco.json', 'instances.json'];

/**
 * Reads images with boxes: COCO's JSON, a folder with it, or a folder of YOLO's with images/ and labels/.
 * @throws UsageError or CompilerError naming what is missing, unreadable or unknown
 */
export async function readBoxExamples(
  path: string,
  labels: readonly string[],
): Promise<readonly FileExample[]> {
  if (!existsSync(path)) throw new UsageError(`${path} does not exist.`);
  const coco = statSync(path).isDirectory()
    ? COCO_FILES.map((name) => join(path, name)).find(existsSync)
    : path;
  const examples = coco === undefined ? await readYolo(path, labels) : await readCocoFile(coco, labels);
  if (examples.length === 0) throw new UsageError(`${path} holds no images.`);
  return examples;
}

async function readCocoFile(path: string, labels: readonly string[]): Promise<readonly FileExample[]> {
  const { examples } = readCoco(await readInput(path), { file: path, labels });
  return examples.map(({ file, gold }) => ({ file: fileBeside(path, file, IMAGES), gold }));
}

/** images/NAME.jpg with the boxes of labels/NAME.txt; an image without a file of boxes has none. */
function readYolo(folder: string, labels: readonly string[]): Promise<readonly FileExample[]> {
  const [images, boxes] = [join(folder, 'images'), join(folder, 'labels')];
  if (!existsSync(images) || !existsSync(boxes))
    throw new UsageError(
      `${folder} has neither ${COCO_FILES[0]} nor images/ and labels/.`,
      "Give COCO's JSON or a folder of YOLO's.",
    );
  const names = readdirSync(images)
    .filter((name) => isNamedAs(IMAGES, name))
    .sort();
  return Promise.all(
    names.map(async (name) => {
      const text = join(boxes, `${basename(name, extname(name))}.txt`);
      const file = join(images, name);
      if (!existsSync(text)) return { file, gold: { boxes: [] } };
      const options = { file: text, ...(await uprightSize(file)), classCount: labels.length };
      return { file, gold: { boxes: readYoloBoxes(readFileSync(text, 'utf8'), options) } };
    }),
  );
}
