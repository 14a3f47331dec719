import { CompilerError } from '../diagnostics/index.ts';
import type { GoldBox } from './detection.ts';

export interface YoloBoxesOptions {
  /** File name for messages. */
  readonly file: string;
  /** Size of the image, pixels. */
  readonly width: number;
  readonly height: number;
  /** How many classes there are; a higher index is an error. */
  readonly classCount: number;
}

/**
 * Reads the boxes of one image as YOLO's tools write them: a line `class centreX centreY width height` for each, shares
 * of the image. An empty file is an image without objects.
 * @throws CompilerError `bad-file` naming file and line.
 */
export function readYoloBoxes(text: string, options: YoloBoxesOptions): readonly GoldBox[] {
  return text.split(/\r\n|\n|\r/).flatMap((line, index) => {
    if (line.trim() === '') return [];
    return [readLine(line.trim().split(/\s+/).map(Number), index + 1, options)];
  });
}

function readLine(
  values: readonly number[],
  line: number,
  { file, width, height, classCount }: YoloBoxesOptions,
): GoldBox {
  const [classIndex = NaN, x = NaN, y = NaN, w = NaN, h = NaN] = values;
  if (values.length !== 5 || ![x, y, w, h].every((value) => value >= 0 && value <= 1)) {
    throw problem(file, line, 'must be a class and four numbers from 0 to 1: centre x and y, width, height');
  }
  if (!Number.isInteger(classIndex) || classIndex < 0 || classIndex >= classCount) {
    throw problem(file, line, `class ${classIndex} is not one of the ${classCount} classes`);
  }
  const box = { x: (x - w / 2) * width, y: (y - h / 2) * height, width: w * width, height: h * height };
  return { classIndex, box };
}

function problem(file: string, line: number, message: string): CompilerError {
  return new CompilerError('bad-file', `${file}:${line}: ${message}.`, { at: { file } });
}
