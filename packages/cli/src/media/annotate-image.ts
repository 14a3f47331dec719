import { html } from '../report/html.ts';
import { loadSharp } from './load-sharp.ts';
import { readImage } from './read-image.ts';

/** A box with what is written on it. Pixels of the image. */
export interface LabelledBox {
  readonly label: string;
  readonly score: number;
  readonly box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
}

/** Degrees between the hues of neighbouring classes: the golden angle keeps any number of them apart. */
const HUE_STEP = 137.508;
/** Line width and letters by the shorter side of the image. */
const LINE_SHARE = 1 / 200;
const TEXT_SHARE = 1 / 32;
const SMALLEST_TEXT = 11;
/** Width of a letter in heights, about. */
const LETTER_WIDTH = 0.6;

/**
 * The image with the boxes drawn on it, upright, in the format that the name of the file asks for.
 * @param labels all of the model's: a class has the same colour on every image
 */
export async function annotateImage(
  path: string,
  boxes: readonly LabelledBox[],
  labels: readonly string[],
  output: string,
): Promise<void> {
  const sharp = await loadSharp();
  const upright = await readImage(path, (image) => image.png().toBuffer({ resolveWithObject: true }));
  const { width, height } = upright.info;
  const overlay = Buffer.from(drawing(boxes, labels, width, height));
  await sharp(upright.data)
    .composite([{ input: overlay }])
    .toFile(output);
}

/** SVG of the size of the image. */
function drawing(
  boxes: readonly LabelledBox[],
  labels: readonly string[],
  width: number,
  height: number,
): string {
  const side = Math.min(width, height);
  const line = Math.max(1, side * LINE_SHARE);
  const size = Math.max(SMALLEST_TEXT, side * TEXT_SHARE);
  const drawn = boxes.map(({ label, score, box }) => {
    const color = `hsl(${(HUE_STEP * labels.indexOf(label)) % 360}, 75%, 38%)`;
    const text = `${label} ${Math.round(100 * score)} %`;
    const wide = text.length * size * LETTER_WIDTH + size / 2;
    const left = Math.max(0, Math.min(box.x, width - wide));
    const top = box.y > size * 1.3 ? box.y - size * 1.3 : box.y;
    return html`<rect
        x="${box.x}"
        y="${box.y}"
        width="${box.width}"
        height="${box.height}"
        fill="none"
        stroke="${color}"
        stroke-width="${line}"
      /><rect x="${left}" y="${top}" width="${wide}" height="${size * 1.3}" fill="${color}" /><text
        x="${left + size / 4}"
        y="${top + size}"
        font-size="${size}"
        font-family="sans-serif"
        fill="white"
        >${text}</text
      >`.text;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${drawn.join('')}</svg>`;
}
