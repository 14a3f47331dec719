import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { repoRoot } from '../src/index.ts';

describe('check-layers', () => {
  let root: string;
  beforeEach(() => void (root = mkdtempSync(join(tmpdir(), 'edgewise-layers-'))));
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  /** Writes one file under packages/ and returns what the check says about it; '' when it passes. */
  function check(file: string, source: string): string {
    const path = join(root, 'packages', file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, source);
    const script = join(repoRoot, 'scripts', 'check-layers.mjs');
    const { status, stderr } = spawnSync(process.execPath, [script, root], { encoding: 'utf8' });
    expect(status).toBe(stderr === '' ? 0 : 1);
    return stderr.replaceAll('\\', '/');
  }

  it.each([
    ['an earlier layer', 'compiler/src/ops/a.ts', `import type { M } from '../ir/index.ts';`],
    ['its own layer', 'compiler/src/ops/a.ts', `import './b.ts';`],
    ['the package format', 'compiler/src/targets/edge/a.ts', `import '@edgewise/runtime/format';`],
    ['node:* in the Node entry', 'runtime/src/node/a.ts', `import 'node:fs';`],
    ['public entries from the CLI', 'cli/src/a.ts', `import '@edgewise/runtime/node'; import 'node:fs';`],
    ['anything in tests', 'compiler/src/ir/a.test.ts', `import '@edgewise/test-utils';`],
  ])('allows %s', (_, file, source) => {
    expect(check(file, source)).toBe('');
  });

  it.each([
    ['a later layer', 'compiler/src/ir/a.ts', `import '../ops/b.ts';`],
    ['a later layer, types only', 'compiler/src/ir/a.ts', `import type { B } from '../ops/b.ts';`],
    ['a later layer, re-exported', 'compiler/src/ir/a.ts', `export * from '../ops/b.ts';`],
    ['a later layer, dynamically', 'compiler/src/ir/a.ts', `await import('../search/b.ts');`],
    ['the importers in transforms', 'compiler/src/transforms/a.ts', `import '../import/onnx/read.ts';`],
    ['the entry in a layer', 'compiler/src/ir/a.ts', `import '../index.ts';`],
    ['an unknown layer', 'compiler/src/misc/a.ts', `import '../ir/a.ts';`],
    ['the whole runtime in the compiler', 'compiler/src/evaluate/a.ts', `import '@edgewise/runtime';`],
    ['node:* in the compiler', 'compiler/src/ir/a.ts', `import 'node:fs';`],
    ['the compiler in the runtime', 'runtime/src/a.ts', `import '@edgewise/compiler';`],
    ['inner files in the CLI', 'cli/src/a.ts', `import '@edgewise/compiler/src/ir/model.ts';`],
    ['another package by path', 'cli/src/a.ts', `import '../../compiler/src/ir/model.ts';`],
  ])('refuses %s', (_, file, source) => {
    expect(check(file, `\n${source}`)).toMatch(new RegExp(`^packages/${file}:2: imports `));
  });
});
