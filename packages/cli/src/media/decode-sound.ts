import type { RawAudio } from '@edgewise/runtime/audio';
import { UsageError } from '../command/usage-error.ts';
import { readInput } from '../files/read-input.ts';
import { WaveFile } from './wave-file.ts';

/** What a sample is multiplied by to lie in −1…1, by bit depth as wavefile names it. */
const SCALES: Readonly<Record<string, number>> = {
  '8': 2 ** -7,
  '16': 2 ** -15,
  '24': 2 ** -23,
  '32': 2 ** -31,
  '32f': 1,
  '64': 1,
};
/** Eight bits are unsigned. */
const MIDDLE_OF_8_BITS = 128;

/**
 * Reads a WAV file of integers or floats: samples of −1…1, by channel.
 * @throws UsageError naming the file when it is missing, damaged or no such WAV file
 */
export async function decodeSound(path: string): Promise<RawAudio> {
  const bytes = await readInput(path);
  try {
    return readWav(bytes);
  } catch (cause) {
    throw new UsageError(
      `${path} cannot be read as a sound: ${(cause as Error).message}`,
      'WAV files of integers or floats are.',
    );
  }
}

function readWav(bytes: Uint8Array): RawAudio {
  const wav = new WaveFile(bytes);
  const { numChannels, sampleRate } = wav.fmt as {
    readonly numChannels: number;
    readonly sampleRate: number;
  };
  const scale = SCALES[wav.bitDepth];
  if (scale === undefined) throw new Error(`its samples have the unknown form ${wav.bitDepth}`);
  const middle = wav.bitDepth === '8' ? MIDDLE_OF_8_BITS : 0;
  const interleaved = wav.getSamples(true);
  const samples = Array.from({ length: numChannels }, (_, channel) =>
    Float32Array.from(
      { length: Math.floor(interleaved.length / numChannels) },
      (_value, i) => (interleaved[i * numChannels + channel]! - middle) * scale,
    ),
  );
  return { samples, sampleRate };
}
