import { expectTensorClose, seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import type { DetectionHead } from '../format/index.ts';
import type { Outputs, Tensor } from '../session/session.ts';
import type { Candidate, DecodeContext } from './candidate.ts';
import { decode } from './decode.ts';

const CONTEXT: DecodeContext = {
  first: 'out',
  width: 64,
  height: 32,
  classCount: 3,
  scoreThreshold: 0.2,
  allClasses: false,
};
const tensor = (shape: readonly number[], data: ArrayLike<number>): Tensor => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from(data),
});
const valuesOf = ({ classIndex, score, left, top, right, bottom }: Candidate): number[] => [
  classIndex,
  score,
  left,
  top,
  right,
  bottom,
];

/** Decodes one anchor whose numbers are `row`, among anchors of zeros; strides 16 give 4 × 2 cells. */
function decodeOne(head: DetectionHead, row: readonly number[], cell: number, context = CONTEXT): number[][] {
  const data = new Float32Array(8 * row.length);
  data.set(row, cell * row.length);
  return decode({ out: tensor([1, 8, row.length], data) }, head, context).map(valuesOf);
}

describe('decode', () => {
  // Cell 6 is column 2 of row 1.
  it('yolox: cells and log sizes in strides, objectness times class', () => {
    const row = [0.5, 0.25, Math.log(2), 0, 0.5, 0.1, 0.8, 0.6];
    const head = { kind: 'yolox', strides: [16] } as const;
    const [found = [], ...others] = decodeOne(head, row, 6);
    expect(others).toEqual([]);
    expectTensorClose(found, [1, 0.4, 40 - 16, 20 - 8, 40 + 16, 20 + 8], { abs: 1e-5 });
    const all = decodeOne(head, row, 6, { ...CONTEXT, allClasses: true });
    expect(all.map(([classIndex]) => classIndex)).toEqual([1, 2]);
    expect(() => decodeOne({ kind: 'yolox', strides: [8] }, row, 0)).toThrow(
      'detection: output "out" is [1, 8, 8], not [1, 32, 8]',
    );
  });

  it('rows: columns by their names, in a batch or not, below the threshold left out', () => {
    const columns = ['image', 'left', 'top', 'right', 'bottom', 'class', 'score'];
    const rows = [0, 8, 17, 12, 23, 2, 0.9, 0, 1, 2, 3, 4, 1, 0.1];
    const head = { kind: 'rows', columns } as const;
    for (const shape of [
      [2, 7],
      [1, 2, 7],
    ]) {
      const [found = [], ...others] = decode({ out: tensor(shape, rows) }, head, CONTEXT).map(valuesOf);
      expect(others).toEqual([]);
      expectTensorClose(found, [2, 0.9, 8, 17, 12, 23], { abs: 1e-6 });
    }
    expect(decode({ out: tensor([0, 7], []) }, head, CONTEXT)).toEqual([]);
    expect(() => decode({ out: tensor([2, 6], rows.slice(2)) }, head, CONTEXT)).toThrow(
      'detection: output "out" is [2, 6], not [any, 7]',
    );
  });

  it('yolov5 and yolov8: centre and size in pixels, rows and columns', () => {
    const [found = []] = decodeOne({ kind: 'yolov5' }, [10, 20, 4, 6, 0.5, 0, 0, 0.9], 3);
    expectTensorClose(found, [2, 0.45, 8, 17, 12, 23], { abs: 1e-6 });
    const anchors = [0, 10, 0, 20, 0, 4, 0, 6, 0.1, 0.7, 0.1, 0.2, 0.1, 0.3];
    const outputs = { out: tensor([1, 7, 2], anchors) };
    const v8 = decode(outputs, { kind: 'yolov8' }, CONTEXT).map(valuesOf);
    expect(v8).toHaveLength(1);
    expectTensorClose(v8[0] ?? [], [0, 0.7, 8, 17, 12, 23], { abs: 1e-6 });
  });

  it('nanodet: the mean of each side’s distribution', () => {
    const sharp = (bin: number): number[] => [0, 1, 2, 3].map((index) => (index === bin ? 100 : 0));
    const row = [0, 0.9, 0, ...sharp(1), ...sharp(0), ...sharp(3), 0, 0, 0, 0];
    const [found = []] = decodeOne({ kind: 'nanodet', strides: [16] }, row, 6);
    expectTensorClose(found, [1, 0.9, 32 - 16, 16, 32 + 48, 16 + 24], { abs: 1e-5 });
    expect(() => decodeOne({ kind: 'nanodet', strides: [16] }, [1, 2, 3, 4], 0)).toThrow(
      'rows of 4 hold no 3 classes and 4 distributions',
    );
  });

  it('ultraface: corners as shares, the background left out', () => {
    const head = { kind: 'ultraface', boxes: 'boxes', scores: 'scores' } as const;
    const scores = tensor([1, 2, 4], [0.9, 0.05, 0.05, 0, 0.1, 0, 0, 0.9]);
    const boxes = tensor([1, 2, 4], [0, 0, 1, 1, 0.25, 0.5, 0.5, 1]);
    const [found = []] = decode({ scores, boxes }, head, CONTEXT).map(valuesOf);
    expectTensorClose(found, [2, 0.9, 16, 16, 32, 32], { abs: 1e-5 });
    expect(() => decode({ scores }, head, CONTEXT)).toThrow('the model has no output "boxes"');
  });

  it('ssd: offsets from priors', () => {
    const head = {
      kind: 'ssd',
      boxes: 'boxes',
      scores: 'scores',
      priors: [0.5, 0.5, 0.5, 1],
      variances: [0.1, 0.2],
      activation: 'softmax',
    } as const;
    const boxes = tensor([1, 1, 4], [1, -1, 5 * Math.log(0.5), 0]);
    const outputs = { boxes, scores: tensor([1, 1, 4], [0, 0, Math.log(6), Math.log(2)]) };
    const [found = []] = decode(outputs, head, CONTEXT).map(valuesOf);
    // Centre (0.5 + 1·0.1·0.5, 0.5 − 1·0.1·1), size (0.25, 1); 6 of 1 + 1 + 6 + 2.
    expectTensorClose(found, [1, 0.6, (0.55 - 0.125) * 64, -0.1 * 32, (0.55 + 0.125) * 64, 0.9 * 32], {
      abs: 1e-4,
    });
  });

  it('fastestdet and yunet agree with the formulas on drawn outputs', () => {
    const random = seededRandom(21);
    const cells = Array.from({ length: 8 }, () => Array.from(random.uniform(8)));
    const planes = Array.from({ length: 8 }, (_, channel) => cells.map((cell) => cell[channel] ?? 0));
    const found = decode(
      { out: tensor([1, 8, 2, 4], planes.flat()) },
      { kind: 'fastestdet' },
      { ...CONTEXT, scoreThreshold: 0 },
    );
    const expected = cells.map(([object = 0, x = 0, y = 0, w = 0, h = 0, ...classes], cell) => {
      const best = classes.indexOf(Math.max(...classes));
      const [centerX, centerY] = [((cell % 4) + Math.tanh(x)) * 16, ((cell >> 2) + Math.tanh(y)) * 16];
      const [width, height] = [64 / (1 + Math.exp(-w)), 32 / (1 + Math.exp(-h))];
      const score = object ** 0.6 * Math.max(...classes) ** 0.4;
      return [
        best,
        score,
        centerX - width / 2,
        centerY - height / 2,
        centerX + width / 2,
        centerY + height / 2,
      ];
    });
    expectTensorClose(found.map(valuesOf).flat(), expected.flat(), { abs: 1e-4, seed: 21 });

    const outputs: Outputs = {
      cls_16: tensor(
        [1, 8, 3],
        cells.flatMap((cell) => cell.slice(5)),
      ),
      obj_16: tensor(
        [1, 8, 1],
        cells.map(([object = 0]) => object),
      ),
      bbox_16: tensor(
        [1, 8, 4],
        cells.flatMap((cell) => cell.slice(1, 5)),
      ),
    };
    const faces = decode(outputs, { kind: 'yunet', strides: [16] }, { ...CONTEXT, scoreThreshold: 0 });
    const expectedFaces = cells.map(([object = 0, x = 0, y = 0, w = 0, h = 0, ...classes], cell) => {
      const best = classes.indexOf(Math.max(...classes));
      const [centerX, centerY] = [((cell % 4) + x) * 16, ((cell >> 2) + y) * 16];
      const [halfWidth, halfHeight] = [Math.exp(w) * 8, Math.exp(h) * 8];
      const score = Math.sqrt(object * Math.max(...classes));
      return [
        best,
        score,
        centerX - halfWidth,
        centerY - halfHeight,
        centerX + halfWidth,
        centerY + halfHeight,
      ];
    });
    expectTensorClose(faces.map(valuesOf).flat(), expectedFaces.flat(), { abs: 1e-4, seed: 21 });
  });

  it('leaves out scores that are no numbers', () => {
    expect(decodeOne({ kind: 'yolov5' }, [10, 20, 4, 6, NaN, 1, 1, 1], 0)).toEqual([]);
  });
});
