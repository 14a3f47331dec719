import { CompilerError } from '../diagnostics/index.ts';
import type { BoxesAnswer, GoldExample } from './dataset.ts';
import type { GoldBox } from './detection.ts';
import type { FileInput } from './runner.ts';

export interface CocoDataset {
  /** Paths are the file names as the file has them. Images without boxes are there too. */
  readonly examples: readonly GoldExample<BoxesAnswer, FileInput>[];
  /** Category names by class index: in the order of their ids. */
  readonly categories: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads boxes as COCO's annotation files have them: `images` (id, file_name), `annotations` (image_id, category_id, bbox
 * `[x, y, width, height]` in pixels, area, iscrowd) and `categories` (id, name).
 * @param labels names by class index of the model that is measured; categories are found in them by name, case ignored.
 * Left out: categories are numbered in the order of their ids.
 * @throws CompilerError `bad-file` naming the file and the image, annotation or category.
 */
export function readCoco(
  bytes: Uint8Array,
  { file, labels }: { readonly file: string; readonly labels?: readonly string[] },
): CocoDataset {
  const root = parse(bytes, file);
  const categories = listOf(root, 'categories', file)
    .map((each) => ({ id: Number(each['id']), name: String(each['name']) }))
    .sort((a, b) => a.id - b.id);
  const names = new Map(categories.map(({ id, name }) => [id, name]));
  const classNames = labels ?? categories.map(({ name }) => name);
  const boxes = new Map<unknown, GoldBox[]>();
  const images = listOf(root, 'images', file);
  for (const { id } of images) boxes.set(id, []);
  for (const annotation of listOf(root, 'annotations', file)) {
    const place = boxes.get(annotation['image_id']);
    if (!place) throw problem(file, annotation, `there is no image ${String(annotation['image_id'])}`);
    place.push(goldBox(annotation, names, classNames, file));
  }
  return {
    examples: images.map(({ id, file_name: name }) => {
      if (typeof name !== 'string' || name === '') throw fail(file, `image ${String(id)} has no file_name`);
      return { file: name, gold: { boxes: boxes.get(id) ?? [] } };
    }),
    categories: categories.map(({ name }) => name),
  };
}

function goldBox(
  annotation: Json,
  names: ReadonlyMap<number, string>,
  classNames: readonly string[],
  file: string,
): GoldBox {
  const name = names.get(Number(annotation['category_id']));
  if (name === undefined)
    throw problem(file, annotation, `there is no category ${String(annotation['category_id'])}`);
  const classIndex = classNames.findIndex((each) => each.toLowerCase() === name.toLowerCase());
  if (classIndex < 0) throw problem(file, annotation, `the model has no label '${name}'`);
  const numbers = Array.isArray(annotation['bbox']) ? annotation['bbox'].map(Number) : [];
  const [x = NaN, y = NaN, width = NaN, height = NaN] = numbers;
  if (numbers.length !== 4 || !numbers.every(Number.isFinite) || width < 0 || height < 0)
    throw problem(file, annotation, 'its bbox is not [x, y, width, height] in pixels');
  const area = Number(annotation['area'] ?? NaN);
  return {
    classIndex,
    box: { x, y, width, height },
    ...(Number.isFinite(area) ? { area } : {}),
    ...(Number(annotation['iscrowd']) === 1 ? { crowd: true } : {}),
  };
}

function parse(bytes: Uint8Array, file: string): Json {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof value === 'object' && value !== null) return value as Json;
  } catch (cause) {
    throw fail(file, `it is not JSON (${(cause as Error).message})`);
  }
  throw fail(file, 'it is not a JSON object');
}

function listOf(root: Json, name: string, file: string): readonly Json[] {
  const list = root[name];
  if (Array.isArray(list) && list.every((each) => typeof each === 'object' && each !== null))
    return list as readonly Json[];
  throw fail(file, `it has no list '${name}'`);
}

function problem(file: string, annotation: Json, what: string): CompilerError {
  return fail(file, `annotation ${Number(annotation['id'])}: ${what}`);
}

function fail(file: string, what: string): CompilerError {
  return new CompilerError('bad-file', `${file}: ${what}.`, {
    at: { file },
    hint: "Boxes are read from COCO's JSON: images, annotations and categories.",
  });
}
