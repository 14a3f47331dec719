import { readFileSync } from 'node:fs';

/** Version of this package, read where the compiler need not be loaded for it. */
export function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
