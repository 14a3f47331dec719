import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadSharp } from './load-sharp.ts';
import { writeWave } from './write-wave.ts';

/** Pixels: a camera's usual size. */
const IMAGE_SIZE = { width: 640, height: 480 };
/** Samples per second, and of the sound: one second at the rate of most models. */
const SOUND_RATE = 16_000;

/** Writes an image of noise into the folder: what is seen does not change how long a model takes, its size does. */
export async function noiseImage(folder: string): Promise<string> {
  const path = join(folder, 'noise.png');
  const sharp = await loadSharp();
  const noise = { type: 'gaussian' as const, mean: 128, sigma: 48 };
  await sharp({ create: { ...IMAGE_SIZE, channels: 3, noise, background: 'black' } }).toFile(path);
  return path;
}

/** The same of what is heard. */
export async function noiseSound(folder: string): Promise<string> {
  const path = join(folder, 'noise.wav');
  const samples = Float32Array.from({ length: SOUND_RATE }, () => Math.random() - 0.5);
  await writeFile(path, writeWave(samples, SOUND_RATE));
  return path;
}
