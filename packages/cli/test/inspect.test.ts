import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseModel, type InspectReport, type PassStep } from '@edgewise/compiler';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Design } from '../src/report/design-text.ts';
import { writeColorModel } from './color-model.ts';
import { runCli } from './run-cli.ts';

const MODEL = 'models/sentiment';

describe('inspect of a convolutional network', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'edgewise-inspect-'));
    writeColorModel(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('says what a device would need at best, with open sizes bound', async () => {
    const { code, stdout } = await runCli('inspect', folder, '--json');
    const { bindings, roofline, separable, advice } = JSON.parse(stdout) as InspectReport & Design;
    expect(code).toBe(0);
    expect(bindings).toEqual({ n: 1 });
    expect(roofline.map(({ int8Ms, float32Ms }) => (int8Ms ?? NaN) < (float32Ms ?? NaN))).toEqual([
      true,
      true,
      true,
    ]);
    expect([separable, advice]).toEqual([[], []]);
  });

  it('simplifies it as such, every pass checked', async () => {
    const { stdout } = await runCli('inspect', folder, '--simplify', '--json');
    const { passes, operators } = JSON.parse(stdout) as InspectReport & { passes: PassStep[] };
    expect(passes.find(({ name }) => name === 'fuseConv')?.edits).toBeGreaterThan(0);
    expect(passes.filter(({ rolledBack }) => rolledBack)).toEqual([]);
    expect(operators.map(({ name }) => name)).toContain('edgewise.Conv');
  });
});

describe('inspect --simplify', () => {
  it('lists what each pass changed, checked on an input, and what is left', async () => {
    const { code, stdout } = await runCli('inspect', MODEL, '--simplify', '--json');
    const report = JSON.parse(stdout) as {
      passes: { name: string; edits: number; error: number; rolledBack: boolean }[];
      operators: { name: string; count: number }[];
    };
    expect(code).toBe(0);
    expect(report.passes.find(({ name }) => name === 'fuseAttention')?.edits).toBe(4);
    for (const { error, rolledBack } of report.passes) {
      expect(rolledBack).toBe(false);
      expect(error).toBeLessThan(1e-6);
    }
    expect(report.operators).toContainEqual(
      expect.objectContaining({ name: 'edgewise.Attention', count: 4 }),
    );
  });

  it('stops after a pass and prints the graph as text', async () => {
    const { stdout } = await runCli('inspect', MODEL, '--stop-after', 'fuseGelu', '--text');
    expect(stdout).toContain('edgewise.Gelu');
    expect(stdout).not.toContain('edgewise.Attention');
    // Large constants are printed as hashes; everything else is there.
    expect(() => parseModel(stdout)).toThrow(/hash/);
  });

  it('names the passes when there is none of that name', async () => {
    const { code, stderr } = await runCli('inspect', MODEL, '--stop-after', 'fuseGlu');
    expect(code).toBe(2);
    expect(stderr).toContain("there is no pass 'fuseGlu'");
    expect(stderr).toContain('fuseGelu');
  });
});
