import { expect, it } from 'vitest';
import { readYoloBoxes } from './read-yolo-boxes.ts';

const options = { file: 'a.txt', width: 200, height: 100, classCount: 3 };

it('reads shares of the image as pixels', () => {
  expect(readYoloBoxes('2 0.5 0.5 0.5 0.2\r\n\n0 0 0 0 0\n', options)).toEqual([
    { classIndex: 2, box: { x: 50, y: 40, width: 100, height: 20 } },
    { classIndex: 0, box: { x: 0, y: 0, width: 0, height: 0 } },
  ]);
  expect(readYoloBoxes('', options)).toEqual([]);
});

it.each([
  ['0 0 0 0 0\n3 0 0 0 0', 'a.txt:2: class 3 is not one of the 3 classes.'],
  ['0 0 0 0', 'a.txt:1: must be a class and four numbers from 0 to 1'],
  ['0 0 0 0 2', 'a.txt:1: must be a class and four numbers from 0 to 1'],
  ['cat 0 0 0 0', 'a.txt:1: class NaN is not one of the 3 classes.'],
])('refuses %j', (text, message) => {
  expect(() => readYoloBoxes(text, options)).toThrow(message);
});
