import { readFileSync, writeFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';

/** Pixels as decoders hand them over. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 2 | 3 | 4;
  readonly data: Uint8Array;
}

/** A picture with the colours of `colorAt`, red, green, blue and perhaps alpha. */
export function paint(
  width: number,
  height: number,
  colorAt: (x: number, y: number) => readonly number[],
): Picture {
  const pixels = Array.from({ length: width * height }, (_, i) => colorAt(i % width, Math.floor(i / width)));
  return {
    width,
    height,
    channels: (pixels[0]?.length ?? 3) as Picture['channels'],
    data: Uint8Array.from(pixels.flat()),
  };
}

export function toSharp({ data, width, height, channels }: Picture): Sharp {
  return sharp(data, { raw: { width, height, channels } });
}

/** The picture in 16 bits a channel; what 8 bits do not hold differs from sample to sample. */
export function deepened({ data, width, height, channels }: Picture): Sharp {
  const deep = Uint16Array.from(data, (value, i) => value * 256 + ((i * 91) % 256));
  const space = channels < 3 ? 'grey16' : 'rgb16';
  return sharp(deep, { raw: { width, height, channels } }).toColourspace(space);
}

/** One file of several pictures of the same size. */
export function animated(frames: readonly Picture[]): Sharp {
  const [{ width, height, channels } = { width: 0, height: 0, channels: 3 as const }] = frames;
  const data = Buffer.concat(frames.map((frame) => frame.data));
  return sharp(data, { raw: { width, height: height * frames.length, channels, pageHeight: height } });
}

/** The picture as one sees it whose file is tagged with this EXIF orientation, 1 to 8. */
export function upright({ data, width, height, channels }: Picture, orientation: number): Picture {
  const isTurned = orientation >= 5;
  const [w, h] = isTurned ? [height, width] : [width, height];
  // From 5 on rows and columns change places; each number mirrors the stored axes its own way.
  const mirrorsX = [2, 3, 7, 8].includes(orientation);
  const mirrorsY = [3, 4, 6, 7].includes(orientation);
  const out = new Uint8Array(data.length);
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) {
      const [u, v] = isTurned ? [y, x] : [x, y];
      const from = ((mirrorsY ? height - 1 - v : v) * width + (mirrorsX ? width - 1 - u : u)) * channels;
      out.set(data.subarray(from, from + channels), (y * w + x) * channels);
    }
  return { width: w, height: h, channels, data: out };
}

/** A PNG whose header claims a size that its data does not have. */
export async function writeClaimedPng(path: string, width: number, height: number): Promise<void> {
  const HEADER = 12; // IHDR, behind the signature and the length
  const CHECKSUM = 29;
  await toSharp(paint(4, 4, () => [200, 10, 20]))
    .png()
    .toFile(path);
  const bytes = readFileSync(path);
  bytes.writeUInt32BE(width, HEADER + 4);
  bytes.writeUInt32BE(height, HEADER + 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(HEADER, CHECKSUM)), CHECKSUM);
  writeFileSync(path, bytes);
}

/** The first half of a file. */
export function truncate(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, bytes.length >> 1);
}
