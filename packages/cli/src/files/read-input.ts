import { readFile } from 'node:fs/promises';
import { UsageError } from '../command/usage-error.ts';
import { systemErrorText } from './system-error.ts';

/**
 * Reads a file that the user named.
 * @throws UsageError when it is not there, not a file or not readable
 */
export async function readInput(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    // Reading a folder fails without its path.
    const words = systemErrorText(Object.assign(error as Error, { path }));
    throw words === undefined ? error : new UsageError(words);
  }
}
