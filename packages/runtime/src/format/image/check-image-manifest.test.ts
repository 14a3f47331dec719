import { expect, it } from 'vitest';
import { RuntimeError } from '../../runtime-error.ts';
import type { Manifest } from '../manifest.ts';
import { validateImageManifest } from './check-image-manifest.ts';

function manifest(changes: object = {}, preprocessing: object = {}): Manifest {
  return {
    task: 'image-classification',
    labels: ['cat', 'dog'],
    preprocessing: {
      width: 224,
      height: 200,
      fit: { mode: 'crop', shorterSide: 256 },
      resample: 'bilinear',
      channels: 'RGB',
      layout: 'NCHW',
      dtype: 'float32',
      mean: [0.5, 0.5, 0.5],
      ...preprocessing,
    },
    ...changes,
  } as unknown as Manifest;
}

it('takes a good one', () => {
  const good = manifest({ scores: 'probabilities', labelOffset: 1 });
  expect(validateImageManifest(good)).toBe(good);
  const fit = { mode: 'letterbox', align: 'center', padding: 114, rounding: 'round' };
  const grey = { fit, channels: 'L', mean: [0], std: [255] };
  expect(() => validateImageManifest(manifest({ task: 'mine', labels: undefined }, grey))).not.toThrow();
});

it.each<[object, string]>([
  [{ width: 0 }, 'preprocessing.width must be a whole number from 1 to 8192, not 0'],
  [{ height: 10_000 }, 'preprocessing.height must be a whole number'],
  [{ fit: undefined }, 'preprocessing.fit must be an object, not missing'],
  [{ fit: { mode: 'cover' } }, 'preprocessing.fit.mode must be "stretch" or "crop" or "letterbox"'],
  [{ fit: { mode: 'crop', shorterSide: 223 } }, 'fit.shorterSide must be a whole number from 224'],
  [{ fit: { mode: 'letterbox', align: 'left' } }, 'fit.align must be "center" or "top-left"'],
  [{ resample: 'cubic' }, 'preprocessing.resample must be "nearest" or'],
  [{ resampleEnlarging: 1 }, 'preprocessing.resampleEnlarging must be "nearest" or'],
  [{ channels: 'RGBA' }, 'preprocessing.channels must be "RGB" or "BGR" or "L"'],
  [{ layout: 'CHW' }, 'preprocessing.layout must be "NCHW" or "NHWC"'],
  [{ dtype: 'float16' }, 'preprocessing.dtype must be "float32" or "uint8" or "int8"'],
  [{ scale: '1' }, 'preprocessing.scale must be a number'],
  [{ mean: [0.5] }, 'preprocessing.mean must be an array of 3 to 3 elements'],
  [{ std: [1, 0, 1] }, 'preprocessing.std[1] must be a number other than 0'],
  [{ background: [0, 0, 256] }, 'preprocessing.background[2] must be a whole number from 0 to 255'],
])('refuses preprocessing %j', (change, message) => {
  expect(() => validateImageManifest(manifest({}, change))).toThrow(RuntimeError);
  expect(() => validateImageManifest(manifest({}, change))).toThrow(message);
});

it.each<[object, string]>([
  [{ preprocessing: undefined }, 'preprocessing must be an object, not missing'],
  [{ labels: undefined }, 'labels must be an array of names, not missing'],
  [{ scores: 'softmax' }, 'scores must be "logits" or "probabilities"'],
  [{ labelOffset: -1 }, 'labelOffset must be a whole number from 0'],
])('refuses %j', (change, message) => {
  expect(() => validateImageManifest(manifest(change))).toThrow(message);
});

it.each<[object | undefined, string]>([
  [undefined, 'detection must be an object, not missing'],
  [{ kind: 'yolo' }, 'detection.kind must be "yolox" or'],
  [{ kind: 'yolox' }, 'detection.strides must be an array of 1 to 8 elements, not missing'],
  [{ kind: 'yolov8', scoreThreshold: 2 }, 'detection.scoreThreshold must be a number from 0 to 1, not 2'],
  [{ kind: 'yolov8', maxBoxes: 0 }, 'detection.maxBoxes must be a whole number from 1'],
  [
    { kind: 'rows', columns: ['left', 'top', 'right', 'bottom', 'score', 'label'] },
    'detection.columns must be names that include class',
  ],
  [{ kind: 'ultraface', boxes: 'a' }, 'detection.scores must be a text'],
  [{ kind: 'ssd', boxes: 'a', scores: 'b', priors: [1, 2, 3, 4, 5] }, 'priors must be four numbers for each'],
])('refuses detection %j', (detection, message) => {
  const detector = manifest({ task: 'object-detection', detection });
  expect(() => validateImageManifest(detector)).toThrow(message);
});
