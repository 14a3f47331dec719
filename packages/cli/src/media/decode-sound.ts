import type { RawAudio } from '@edgewise/runtime/audio';
import { UsageError } from '../command/usage-error.ts';
import { readInput } from '../files/read-input.ts';
import { readWave } from './read-wave.ts';

/**
 * Reads a WAV file of integers or floats: samples of −1…1, by channel.
 * @throws UsageError naming the file when it is missing, damaged, empty or no such WAV file
 */
export async function decodeSound(path: string): Promise<RawAudio> {
  const bytes = await readInput(path);
  try {
    return readWave(bytes);
  } catch (cause) {
    throw new UsageError(
      `${path} cannot be read as a sound: ${(cause as Error).message}`,
      'WAV files of integers or floats are; write a damaged one again.',
    );
  }
}
