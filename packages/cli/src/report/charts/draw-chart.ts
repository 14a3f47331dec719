import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { trusted, type SafeHtml } from '../html.ts';
import type { CandidateReport, OptimizeReport } from '../optimize-report.ts';

/** Charts are drawn once per width, so that text keeps its size on a phone; CSS shows the one that fits. */
export const WIDTHS = { wide: 760, narrow: 320 } as const;

export type Width = keyof typeof WIDTHS;

/** Of marks; the report's style has what the variables are in light and in dark. */
export const COLORS = {
  chosen: 'var(--accent)',
  meets: 'var(--good)',
  fails: 'var(--muted)',
  baseline: 'currentColor',
  budget: 'var(--budget)',
  limit: 'var(--limit)',
} as const;

const FONT = {
  fontFamily: 'system-ui, sans-serif',
  fontSize: '12px',
  background: 'none',
  overflow: 'visible',
};

/** Of a letter in the charts' font, a little generous. */
const LETTER_WIDTH = 6.6;

/** A chart of every width. @param label for who does not see it */
export function drawChart(label: string, draw: (width: Width) => Plot.PlotOptions): SafeHtml {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  // Plot asks for a browser's Document and uses only what linkedom has.
  const plotDocument = document as unknown as NonNullable<Plot.PlotOptions['document']>;
  const charts = (Object.keys(WIDTHS) as Width[]).map((width) => {
    const svg = Plot.plot({ style: FONT, ...draw(width), ariaLabel: label, document: plotDocument });
    return `<div class="chart ${width}">${svg.outerHTML}</div>`;
  });
  return trusted(charts.join(''));
}

/** Room for the longest label, in the charts' font. */
export function labelMargin(labels: readonly string[]): number {
  return 18 + LETTER_WIDTH * Math.max(...labels.map(({ length }) => length));
}

/** A candidate's color: the original, the chosen one, and whether others keep the budget. */
export function candidateColor(report: OptimizeReport, candidate: CandidateReport): string {
  if (candidate === report.baseline) return COLORS.baseline;
  if (candidate.recipe === report.chosen) return COLORS.chosen;
  return candidate.meetsBudget ? COLORS.meets : COLORS.fails;
}
