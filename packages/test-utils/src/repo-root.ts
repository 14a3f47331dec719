import { fileURLToPath } from 'node:url';

/** Absolute path of the repository; the same from `src/` and from `dist/`. */
export const repoRoot: string = fileURLToPath(new URL('../../..', import.meta.url)).replace(/[/\\]$/, '');
