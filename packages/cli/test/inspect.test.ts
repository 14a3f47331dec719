import { parseModel } from '@edgewise/compiler';
import { describe, expect, it } from 'vitest';
import { runCli } from './run-cli.ts';

const MODEL = 'models/sentiment';

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
