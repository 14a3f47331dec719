import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { SearchCache } from '@edgewise/compiler';

/** `$XDG_CACHE_HOME/edgewise` or `~/.cache/edgewise`. */
export function defaultCacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'edgewise');
}

/** One JSON file per entry. Files are renamed into place: an interrupted write leaves no broken entry. */
export function resultCache(folder: string): SearchCache {
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
      await mkdir(folder, { recursive: true });
      const fresh = `${place(key)}.${process.pid}`;
      await writeFile(fresh, JSON.stringify(value));
      await rename(fresh, place(key));
    },
  };
}
