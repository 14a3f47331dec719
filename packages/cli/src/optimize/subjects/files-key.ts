import { statSync } from 'node:fs';

/** Changes when one of the files does. */
export function filesKey(paths: readonly string[]): string {
  return JSON.stringify(
    paths.map((path) => {
      const { size, mtimeMs } = statSync(path);
      return [size, mtimeMs];
    }),
  );
}
