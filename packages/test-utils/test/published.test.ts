import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repoRoot } from '../src/index.ts';

const PACKAGES = ['runtime', 'compiler', 'cli'];
const built = existsSync(join(repoRoot, 'packages/runtime/dist/web/worker.js'));

type Targets = string | { readonly [condition: string]: Targets };

/** What npm would publish, and what a user's compiler makes of it. */
describe.skipIf(!built && !process.env['CI'])('published packages', () => {
  it.each(PACKAGES)(
    '%s holds what its package.json names, licence and readme, and no tests',
    async (name) => {
      const folder = join(repoRoot, 'packages', name);
      const files = await packedFiles(folder);
      expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json']));
      expect(files.filter((file) => /\.test\.|(^|\/)(test|fixtures)\/|tsbuildinfo/.test(file))).toEqual([]);
      const { exports, bin = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
        exports: Targets;
        bin?: Record<string, string>;
      };
      const named = [...targetsOf(exports), ...Object.values(bin)].filter((target) => !target.includes('*'));
      expect(named.length).toBeGreaterThan(2);
      expect(named.filter((target) => !files.includes(target.replace('./', '')))).toEqual([]);
      const licence = readFileSync(join(folder, 'LICENSE'), 'utf8');
      expect(licence).toBe(readFileSync(join(repoRoot, 'LICENSE'), 'utf8'));
    },
  );
});

const USER_CODE = `
import { load } from '@edgewise/runtime/text-classification';

const classify = await load('/models/sentiment');
const [best] = await classify('great film');
console.log(best?.label, best?.score, classify.info.rung);
classify.dispose();

type IsAny<T> = 0 extends 1 & T ? true : false;
const checks: [IsAny<typeof classify>, IsAny<typeof best>, IsAny<typeof classify.info>] = [false, false, false];
export { checks };
export * as runtime from '@edgewise/runtime';
export * as features from '@edgewise/runtime/feature-extraction';
export * as tokenizer from '@edgewise/runtime/tokenizer';
export * as node from '@edgewise/runtime/node';
export * as format from '@edgewise/runtime/format';
export * as compiler from '@edgewise/compiler';
`;

describe.skipIf(!built && !process.env['CI'])('declarations in a strict project of a user', () => {
  let folder: string;
  beforeAll(async () => {
    // Inside the repository, so that the packages are found as they are in an app.
    await mkdir(join(repoRoot, '.cache'), { recursive: true });
    folder = await mkdtemp(join(repoRoot, '.cache', 'types-'));
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    await writeFile(join(folder, 'user.ts'), USER_CODE);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each([
    { moduleResolution: 'bundler', module: 'esnext' },
    { moduleResolution: 'nodenext', module: 'nodenext' },
  ])('check with $moduleResolution', async (options) => {
    const compilerOptions = {
      ...options,
      target: 'es2022',
      lib: ['es2022', 'dom'],
      types: [],
      strict: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      noEmit: true,
    };
    const config = join(folder, `${options.moduleResolution}.json`);
    await writeFile(config, JSON.stringify({ compilerOptions, files: ['user.ts'] }));
    const tsc = join(repoRoot, 'node_modules/typescript/bin/tsc');
    const output = await promisify(execFile)(process.execPath, [tsc, '-p', config]).then(
      ({ stdout }) => stdout,
      (error: { stdout: string }) => error.stdout,
    );
    expect(output).toBe('');
  });
});

/** Without scripts and without a package file: only the list. */
async function packedFiles(folder: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)(
    'npm',
    ['pack', '--dry-run', '--json', '--ignore-scripts', '--offline'],
    { cwd: folder, maxBuffer: 2 ** 24, shell: process.platform === 'win32' },
  );
  // npm 11 and earlier print a list, later ones an object by package name.
  const [pack] = Object.values(JSON.parse(stdout) as Record<string, { files: { path: string }[] }>);
  return (pack?.files ?? []).map(({ path }) => path);
}

function targetsOf(targets: Targets): string[] {
  if (typeof targets === 'string') return [targets];
  return Object.entries(targets).flatMap(([condition, inner]) =>
    condition === '@edgewise/source' ? [] : targetsOf(inner),
  );
}
