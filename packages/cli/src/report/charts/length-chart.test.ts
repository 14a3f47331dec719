import { describe, expect, it } from 'vitest';
import { sampleReport } from '../../../test/sample-report.ts';
import { lengthChart } from './length-chart.ts';

describe('lengthChart', () => {
  const length = sampleReport().length!;

  it('has an axis with a unit for shares and one for times, and marks the chosen length', () => {
    const { text } = lengthChart(length);
    for (const label of ['texts that fit, %', 'time of an answer, ms', 'tokens, logarithmic'])
      expect(text.split(label)).toHaveLength(3);
    expect(text.match(/>cut after 64</g)).toHaveLength(2);
    expect(text.match(/<circle/g)).toHaveLength(2 * length.curve.length);
    expect(text).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('draws the limits of the latency that fit in', () => {
    expect(lengthChart(length).text).not.toContain('stroke-dasharray');
    const { text } = lengthChart(length, { p50: 2, p95: 100 });
    expect(text.match(/stroke-dasharray/g)).toHaveLength(2);
  });

  it('leaves out the times where there are none', () => {
    const { text } = lengthChart({ ...length, curve: [] });
    expect(text).not.toMatch(/NaN|<circle|time of an answer, ms/);
    expect(text).toContain('texts that fit, %');
  });

  it('draws a model that takes 8 tokens', () => {
    const short = {
      maxTokens: 8,
      modelTokens: 8,
      truncation: [{ tokens: 8, share: 0.5 }],
      curve: [{ tokens: 8, ms: 1 }],
    };
    expect(lengthChart({ ...length, ...short }).text).not.toMatch(/NaN|Infinity/);
  });
});
