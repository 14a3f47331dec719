import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { describe, it } from 'vitest';
import { repoRoot } from './repo-root.ts';
import { skipLine } from './skip-line.ts';

const sharedRoot = join(repoRoot, '..', 'shared');
const assetsRoot = join(sharedRoot, 'assets');

/** Whether the large test assets lie beside the repository. They are not part of it: a plain clone has none. */
export const hasSharedAssets: boolean = existsSync(assetsRoot);

/** Absolute path of an asset, for example `sharedAsset('own/sst2-tiny/model.onnx')`; the file may be missing. */
export function sharedAsset(path: string): string {
  return join(assetsRoot, ...path.split('/'));
}

/** `describe` that needs the named assets. Without them it skips with one printed line; see `requireAssets`. */
export function describeWithAssets(
  name: string,
  assets: string | readonly string[],
  suite: () => void,
): void {
  if (requireAssets(name, assets)) describe(name, suite);
  else describe.skip(name, suite);
}

/** `it` that needs the named assets. Without them it skips with one printed line; see `requireAssets`. */
export function itWithAssets(
  name: string,
  assets: string | readonly string[],
  test: () => void | Promise<void>,
  timeoutMs?: number,
): void {
  if (requireAssets(name, assets)) it(name, test, timeoutMs);
  else it.skip(name, test);
}

/** A skip is honest only where there are no assets at all: beside a shared folder, CI fails on a missing one. */
function requireAssets(name: string, assets: string | readonly string[]): boolean {
  const missing = [assets].flat().filter((asset) => !existsSync(sharedAsset(asset)));
  if (missing.length === 0) return true;
  const reason = `missing ../shared/assets/${missing.join(', ')}`;
  if (process.env['CI'] && existsSync(sharedRoot))
    throw new Error(`"${name}" cannot run under CI: ${reason}`);
  skipLine(name, reason);
  return false;
}
