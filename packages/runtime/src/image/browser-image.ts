import { RuntimeError } from '../runtime-error.ts';
import { checkSize, type RawImage } from './pixels.ts';

/** What a page or a worker may hand over as an image. Blobs are decoded, upright by their EXIF orientation. */
export type ImageSource =
  | RawImage
  | ImageData
  | ImageBitmap
  | HTMLImageElement
  | HTMLVideoElement
  | HTMLCanvasElement
  | OffscreenCanvas
  | VideoFrame
  | Blob;

/** `HTMLMediaElement.HAVE_CURRENT_DATA`, which workers do not know. */
const HAS_CURRENT_FRAME = 2;

type Drawable = Exclude<ImageSource, RawImage | ImageData | Blob>;

/** Pixels of an image. What is not pixels already is drawn on a canvas in software, without colour conversion. */
export async function readBrowserImage(image: ImageSource): Promise<RawImage> {
  if (Object(image) !== image) throw noImage();
  if (image instanceof Blob) return readBlob(image);
  if (isRaw(image)) return image;
  if (image instanceof ImageData) return fromImageData(image);
  return draw(image);
}

async function readBlob(blob: Blob): Promise<RawImage> {
  const bitmap = await createImageBitmap(blob, {
    colorSpaceConversion: 'none',
    premultiplyAlpha: 'none',
  }).catch((cause: unknown) => {
    throw new RuntimeError('bad-input', `the browser cannot decode this image (${blob.type || 'no type'})`, {
      cause,
    });
  });
  try {
    return draw(bitmap);
  } finally {
    bitmap.close();
  }
}

function isRaw(image: Exclude<ImageSource, Blob>): image is RawImage {
  return 'channels' in image;
}

function fromImageData({ data, width, height, colorSpace }: ImageData): RawImage {
  if (!(data instanceof Uint8ClampedArray) || colorSpace === 'display-p3') {
    throw new RuntimeError('bad-input', 'ImageData has 8 bits a channel here, not floats, and sRGB colours');
  }
  return { data, width, height, channels: 4 };
}

function draw(image: Drawable): RawImage {
  const [width, height] = sizeOf(image);
  checkSize(width, height);
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (!context) throw new RuntimeError('unsupported', `the browser has no canvas of ${width} × ${height}`);
  try {
    context.drawImage(image, 0, 0);
    return fromImageData(context.getImageData(0, 0, width, height));
  } catch (cause) {
    throw new RuntimeError(
      'bad-input',
      "the browser does not show this image's pixels; those of another site need crossOrigin and its consent",
      { cause },
    );
  }
}

/** Size of the image itself, not of its place on the page; of what is still loading it is 0. */
function sizeOf(image: Drawable): readonly [number, number] {
  if ('naturalWidth' in image) return image.complete ? [image.naturalWidth, image.naturalHeight] : [0, 0];
  if ('videoWidth' in image)
    return image.readyState < HAS_CURRENT_FRAME ? [0, 0] : [image.videoWidth, image.videoHeight];
  if ('displayWidth' in image) return [image.displayWidth, image.displayHeight];
  if ('width' in image) return [image.width, image.height];
  throw noImage();
}

function noImage(): RuntimeError {
  return new RuntimeError('bad-input', 'this is no image: pass a Blob, ImageData, canvas, element or frame');
}
