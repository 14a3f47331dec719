import process from 'node:process';

/** One line on stderr for a skipped suite, so that no skip goes unseen. */
export function skipLine(name: string, reason: string): void {
  process.stderr.write(`skipped "${name}": ${reason}\n`);
}
