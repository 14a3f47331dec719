import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { VERSION as compilerVersion } from '@edgewise/compiler';
import { VERSION as runtimeVersion } from '@edgewise/runtime';
import { expect, it } from 'vitest';
import { repoRoot } from '../src/index.ts';

interface Manifest {
  name: string;
  version: string;
  dependencies?: Record<string, string>;
}

it('every package carries the same version', () => {
  const folders = ['.', ...readdirSync(join(repoRoot, 'packages')).map((name) => join('packages', name))];
  const manifests = folders.map(
    (folder) => JSON.parse(readFileSync(join(repoRoot, folder, 'package.json'), 'utf8')) as Manifest,
  );
  const names = new Set(manifests.map(({ name }) => name));
  const inner = manifests.flatMap(({ dependencies = {} }) =>
    Object.entries(dependencies).flatMap(([name, range]) => (names.has(name) ? range : [])),
  );
  const versions = [...manifests.map(({ version }) => version), ...inner, compilerVersion, runtimeVersion];
  expect(new Set(versions)).toEqual(new Set([runtimeVersion]));
});
