import { randomBytes } from 'node:crypto';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { UsageError } from '../command/usage-error.ts';

/** A file that marks a folder as one of ours, which may be replaced. */
const OURS = ['report.json', 'edgewise.json'];

/** Refuses a target that cannot be written or holds something else than an earlier result. Call it before the long work. */
export function checkOutputFolder(folder: string): void {
  checkWritable(dirname(resolve(folder)));
  if (!existsSync(folder)) return;
  const entries = listFolder(folder);
  if (entries.length === 0 || entries.some((name) => OURS.includes(name))) return;
  throw new UsageError(
    `${folder} exists and is not a result of edgewise.`,
    'Choose another --out, or remove it.',
  );
}

/** The result takes its place by renaming, so what must be writable is what it lies in. */
function checkWritable(folder: string): void {
  if (!existsSync(folder)) return checkWritable(dirname(folder));
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch {
    throw new UsageError(`--out: ${folder} cannot be written to.`, 'Choose another --out.');
  }
}

function listFolder(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    throw new UsageError(`${folder} is not a folder.`);
  }
}

/**
 * Writes a folder whole or not at all: into a hidden sibling that takes the folder's place at the end.
 * @param files contents by relative path with forward slashes
 */
export async function writeFolder(
  folder: string,
  files: ReadonlyMap<string, Uint8Array | string>,
  signal?: AbortSignal,
): Promise<void> {
  const target = resolve(folder);
  const sibling = (kind: string): string =>
    join(dirname(target), `.${basename(target)}.${kind}-${randomBytes(4).toString('hex')}`);
  const fresh = sibling('new');
  try {
    for (const [path, content] of files) {
      signal?.throwIfAborted();
      const place = join(fresh, ...path.split('/'));
      await mkdir(dirname(place), { recursive: true });
      await writeFile(place, content);
    }
    signal?.throwIfAborted();
    if (existsSync(target)) {
      const old = sibling('old');
      await rename(target, old);
      await rename(fresh, target);
      await rm(old, { recursive: true, force: true });
    } else await rename(fresh, target);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    throw error;
  }
}
