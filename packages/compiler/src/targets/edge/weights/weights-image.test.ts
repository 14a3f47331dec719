import { describe, expect, it } from 'vitest';
import { WeightsImage } from './weights-image.ts';

describe('WeightsImage', () => {
  it('joins what follows each other into one section', () => {
    const image = new WeightsImage(10);
    expect(image.add(Uint8Array.of(1, 2, 3))).toBe(64);
    expect(image.add(Float32Array.of(1, 2))).toBe(128);
    expect(image.sections).toEqual([{ encoding: 'raw', offset: 0, bytes: 72, address: 64 }]);
    expect(image.memoryEnd).toBe(192);
    expect([...image.file()]).toEqual([
      1,
      2,
      3,
      ...Array.from({ length: 61 }, () => 0),
      ...new Uint8Array(Float32Array.of(1, 2).buffer),
    ]);
  });

  it('starts a section for 4-bit values, which take more memory than file, and another behind them', () => {
    const image = new WeightsImage(0);
    image.add(Uint8Array.of(1));
    expect(image.addInt4(new Uint8Array(40).fill(9), 80, [5, 6])).toBe(64);
    expect(image.add(Uint8Array.of(2))).toBe(192);
    expect(image.sections).toEqual([
      { encoding: 'raw', offset: 0, bytes: 1, address: 0 },
      { encoding: 'int4', offset: 64, bytes: 40, address: 64, count: 80, arguments: [5, 6] },
      { encoding: 'raw', offset: 128, bytes: 1, address: 192 },
    ]);
    expect(image.file()).toHaveLength(129);
  });

  it('gives the file in pieces, as often as it is asked', () => {
    const image = new WeightsImage(0);
    const fill =
      (...bytes: number[]) =>
      (place: Uint8Array<ArrayBuffer>) =>
        place.set(bytes);
    image.addFilled(70, fill(1, 2, 3));
    image.add(Float32Array.of(1, 2));
    image.addFilled(5, fill(4));
    image.addInt4(Uint8Array.of(9, 9), 4, []);
    for (let reading = 0; reading < 2; reading++) {
      const bytes: number[] = [];
      for (const piece of image.pieces()) bytes.push(...piece);
      expect(bytes).toEqual([...image.file()]);
    }
    expect(image).toHaveLength(258);
  });
});
