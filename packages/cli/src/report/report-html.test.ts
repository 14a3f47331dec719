import { describe, expect, it } from 'vitest';
import { reportHtml } from './report-html.ts';
import { sampleReport } from '../../test/sample-report.ts';
import { reuseText } from './reuse-text.ts';
import { limitText, missedText } from './limit-text.ts';

describe('reportHtml', () => {
  const report = sampleReport();

  it('is one file: no script, no address of anything else', () => {
    const page = reportHtml(report);
    expect(page).not.toMatch(/<script|@import|url\(|src=|srcset/i);
    expect([...page.matchAll(/href="([^"]*)"/g)].map(([, target]) => target)).toEqual(['data:,']);
    expect(page).toContain("default-src 'none'");
  });

  it('shows every candidate and draws its charts in two widths', () => {
    const page = reportHtml(report);
    for (const { recipe } of report.candidates) expect(page).toContain(`>${recipe}`);
    expect(page.match(/<svg/g)).toHaveLength(10);
    expect(page).toContain('(weights in 4 bits, 8-bit activations)');
    expect(page).toContain('and what accuracy changes by, in points, on all 640 examples');
    expect(page).toMatch(/>0\.25 %   \+0\.16</);
    const { sensitivity: _, length: __, ...plain } = report;
    expect(reportHtml(plain).match(/<svg/g)).toHaveLength(6);
    expect(reportHtml(plain)).not.toMatch(/Sensitivity|Length of texts/);
    expect(page).toContain('<strong>Budget met</strong> by <code>w7a8-static+int4-embeddings</code>');
  });

  it('says what to relax when the budget is missed', () => {
    const missed = { limit: 'drop', allowed: 0.001, measured: 0.0031 } as const;
    const page = reportHtml({ ...report, chosen: null, relax: [missed] });
    expect(page).toContain('No candidate meets the budget.');
    expect(page).toContain('Relax --max-drop to 0.32%.');
    expect(missedText(missed)).toBe('drop 0.31% > 0.10%');
    expect(limitText({ limit: 'downloadBytes', allowed: 1, measured: 2_000_000 })).toBe(
      '--max-size to 2.06 MB',
    );
  });

  it('speaks of no budget where no limit was given', () => {
    const page = reportHtml({ ...report, budget: {} });
    expect(page).toContain('<strong>Chosen</strong>:');
    expect(page).not.toMatch(/within the budget|Budget met|Shaded|Dashed: the budget/);
    expect(page.match(/fill="var\(--budget\)"/g)).toBeNull();
    expect(reportHtml(report)).toContain('fill="var(--budget)"');
    const fast = reportHtml({ ...report, budget: { latencyMs: { p50: 5 } } });
    expect(fast).toMatch(/Budget met[^]*Dashed: the budget/);
    expect(fast).not.toMatch(/Shaded|fill="var\(--budget\)"/);
  });

  it('lets the layers that have more bits in the chosen candidate stand out', () => {
    const faint = /fill-opacity="0\.35"/g;
    expect(reportHtml(report)).not.toMatch(faint);
    const names = report.sensitivity?.layers.slice(0, 5).map(({ layer }) => layer) ?? [];
    const options = { weightBits: 7, activationRange: 'mse', eightBits: names } as const;
    const page = reportHtml({
      ...report,
      candidates: report.candidates.map((candidate) =>
        candidate.recipe === report.chosen
          ? { ...candidate, steps: [{ name: 'quantize-conv-net', options }] }
          : candidate,
      ),
    });
    // 24 layers, in two widths.
    expect(page.match(faint)).toHaveLength(2 * (24 - 5));
    expect(page).toContain('those that have more bits in <code>w7a8-static+int4-embeddings</code>');
  });

  it('cuts long names of recipes in charts, which the table has whole', () => {
    const [first, ...others] = report.candidates;
    const recipe = 'vocabulary-99.9+layers-83+heads-50+neurons-70+w7a8-static';
    const page = reportHtml({ ...report, candidates: [{ ...first!, recipe }, ...others] });
    expect(page).toContain('vocabulary-99.9+layers-83+heads-50+neuron…  1');
    expect(page).toContain(`${recipe}<`);
  });

  it('says which numbers are from an earlier run, where some are', () => {
    expect(reuseText(report)).toBeUndefined();
    const [first, ...others] = report.candidates.map((each) => ({ ...each, metricReused: true }));
    const some = reuseText({ ...report, candidates: first ? [first, ...report.candidates.slice(1)] : [] });
    expect(some).toMatch(
      /^The accuracy of 1 of 9 rows is known from an earlier run of the same files on the same 640/,
    );
    const baseline = { ...report.baseline, metricReused: true };
    const all = { ...report, baseline, candidates: first ? [first, ...others] : [] };
    expect(reuseText(all)).toContain('accuracy of every row is known');
    expect(reportHtml(all)).toContain('all times and memory were measured now');
    expect(reportHtml(report)).not.toContain('earlier run');
  });

  it('escapes what comes from files', () => {
    const name = '<img src=x onerror=alert(1)>';
    const page = reportHtml({
      ...report,
      model: { name, bytes: 1 },
      refused: [{ recipe: 'a', reason: name }],
      layers: [{ name, macs: 1, parameterBytes: 1 }],
    });
    expect(page).not.toContain('<img');
  });
});
