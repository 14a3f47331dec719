import { describe, expect, it } from 'vitest';
import { readCoco } from './read-coco.ts';

const COCO = {
  images: [
    { id: 7, file_name: 'a.jpg' },
    { id: 9, file_name: 'b.jpg' },
  ],
  categories: [
    { id: 30, name: 'Dog' },
    { id: 4, name: 'cat' },
  ],
  annotations: [
    { id: 1, image_id: 7, category_id: 30, bbox: [1, 2, 3, 4], area: 5, iscrowd: 1 },
    { id: 2, image_id: 7, category_id: 4, bbox: [0, 0, 1.5, 2] },
  ],
};

const read = (value: unknown, labels?: readonly string[]): ReturnType<typeof readCoco> =>
  readCoco(new TextEncoder().encode(JSON.stringify(value)), {
    file: 'boxes.json',
    ...(labels && { labels }),
  });

describe('readCoco', () => {
  it('gives every image its boxes, categories in the order of their ids', () => {
    expect(read(COCO)).toEqual({
      categories: ['cat', 'Dog'],
      examples: [
        {
          file: 'a.jpg',
          gold: {
            boxes: [
              { classIndex: 1, box: { x: 1, y: 2, width: 3, height: 4 }, area: 5, crowd: true },
              { classIndex: 0, box: { x: 0, y: 0, width: 1.5, height: 2 } },
            ],
          },
        },
        { file: 'b.jpg', gold: { boxes: [] } },
      ],
    });
  });

  it("finds categories among the model's labels", () => {
    const [first] = read(COCO, ['person', 'dog', 'Cat']).examples;
    expect(first?.gold.boxes.map(({ classIndex }) => classIndex)).toEqual([1, 2]);
    expect(() => read(COCO, ['cat'])).toThrow("boxes.json: annotation 1: the model has no label 'Dog'.");
  });

  it.each([
    [{}, 'boxes.json: it has no list'],
    [[], 'boxes.json: it has no list'],
    [{ ...COCO, images: [] }, 'annotation 1: there is no image 7'],
    [{ ...COCO, categories: [] }, 'annotation 1: there is no category 30'],
    [
      { ...COCO, annotations: [{ id: 3, image_id: 7, category_id: 4, bbox: [1, 2, -3, 4] }] },
      'annotation 3: its bbox',
    ],
    [{ ...COCO, images: [{ id: 7 }], annotations: [] }, 'image 7 has no file_name'],
  ])('refuses %j', (value, message) => {
    expect(() => read(value)).toThrow(message);
  });

  it('refuses what is not JSON', () => {
    expect(() => readCoco(new TextEncoder().encode('{'), { file: 'x.json' })).toThrow(
      'x.json: it is not JSON',
    );
  });
});
