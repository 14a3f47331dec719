// Recordings of ../shared/assets: 16-bit mono with a header of 44 bytes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ASSETS } from './vision.mjs';

const COMMANDS = join(ASSETS, 'datasets/speech-commands-12');
export const SILENCE = '_silence_';

/** @typedef {{ label: string, samples: Float32Array, sampleRate: number }} Clip */

/** One second each. @returns {Clip[]} */
export function readClips() {
  const [, ...lines] = readFileSync(join(COMMANDS, 'labels.csv'), 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [file = '', label = ''] = line.split(',');
    return { label, ...readWave(join(COMMANDS, 'wav', file)) };
  });
}

/** @param {string} file */
export function readWave(file) {
  const bytes = readFileSync(file);
  const samples = Float32Array.from(
    { length: (bytes.length - 44) / 2 },
    (_, i) => bytes.readInt16LE(44 + 2 * i) / 32_768,
  );
  return { samples, sampleRate: bytes.readUInt32LE(24) };
}
