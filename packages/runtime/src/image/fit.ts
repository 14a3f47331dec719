import type { ImagePreprocessing } from '../format/index.ts';
import { RuntimeError } from '../runtime-error.ts';

/** Only the part that is kept is computed, but a table has to be kept for a side. */
const MAX_RESIZED_SIDE = 2 ** 24;

/** Where the resized image goes. Everything in pixels. */
export interface Placement {
  /** Size of the source. */
  readonly sourceWidth: number;
  readonly sourceHeight: number;
  /** Size that the whole source is resized to. */
  readonly resizedWidth: number;
  readonly resizedHeight: number;
  /**
   * Where the input's corner lies on the resized image: positive where the image is cut, negative where the input is
   * padded.
   */
  readonly left: number;
  readonly top: number;
}

/** Works out how a source of this size is fitted into the input. */
export function placeImage(
  sourceWidth: number,
  sourceHeight: number,
  { width, height, fit }: ImagePreprocessing,
): Placement {
  const source = { sourceWidth, sourceHeight };
  switch (fit.mode) {
    case 'stretch':
      return { ...source, resizedWidth: width, resizedHeight: height, left: 0, top: 0 };
    case 'crop': {
      const [resizedWidth, resizedHeight] = coverShorter(sourceWidth, sourceHeight, fit.shorterSide);
      if (Math.max(resizedWidth, resizedHeight) > MAX_RESIZED_SIDE) {
        throw new RuntimeError(
          'bad-input',
          `an image of ${sourceWidth} × ${sourceHeight} is too long and thin: cut it first`,
        );
      }
      const left = Math.floor((resizedWidth - width) / 2);
      const top = Math.floor((resizedHeight - height) / 2);
      return { ...source, resizedWidth, resizedHeight, left, top };
    }
    case 'letterbox': {
      const ratio = Math.min(width / sourceWidth, height / sourceHeight);
      const round = fit.rounding === 'floor' ? Math.floor : Math.round;
      const resizedWidth = Math.max(1, round(sourceWidth * ratio));
      const resizedHeight = Math.max(1, round(sourceHeight * ratio));
      const share = fit.align === 'center' ? 2 : Infinity;
      const left = 0 - Math.floor((width - resizedWidth) / share);
      const top = 0 - Math.floor((height - resizedHeight) / share);
      return { ...source, resizedWidth, resizedHeight, left, top };
    }
  }
}

/** torchvision's rule: the longer side is `int(side × longer / shorter)`. */
function coverShorter(width: number, height: number, side: number): readonly [number, number] {
  return width <= height
    ? [side, Math.floor((side * height) / width)]
    : [Math.floor((side * width) / height), side];
}
