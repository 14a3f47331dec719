import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { SearchCache } from '@edgewise/compiler';
import { systemErrorText } from './system-error.ts';

/** `$XDG_CACHE_HOME/edgewise` or `~/.cache/edgewise`. */
export function defaultCacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'edgewise');
}

/**
 * One JSON file per entry. Files are renamed into place: an interrupted write leaves no broken entry.
 * @param warn told once when the folder cannot be written to; the work goes on without
 */
export function resultCache(folder: string, warn: (message: string) => void): SearchCache {
  let isWritable = true;
  const place = (key: string): string => join(folder, `${key}.json`);
  return {
    get: async (key) => {
      try {
        return JSON.parse(await readFile(place(key), 'utf8')) as unknown;
      } catch {
        return undefined; // missing or damaged: run again
      }
    },
    set: async (key, value) => {
      if (!isWritable) return;
      try {
        await mkdir(folder, { recursive: true });
        const fresh = `${place(key)}.${process.pid}`;
        await writeFile(fresh, JSON.stringify(value));
        await rename(fresh, place(key));
      } catch (error) {
        isWritable = false;
        const why = systemErrorText(error as Error) ?? (error as Error).message;
        warn(`Answers are not kept for another run: ${why} --cache names another folder.`);
      }
    },
  };
}
