import * as Plot from '@observablehq/plot';
import { formatMs } from '../../terminal/format.ts';
import type { SafeHtml } from '../html.ts';
import { numberedCandidates } from '../numbered-candidates.ts';
import type { OptimizeReport } from '../optimize-report.ts';
import { candidateColor, COLORS, drawChart, labelMargin, WIDTHS, type Width } from './draw-chart.ts';

/** The axis ends at this multiple of the longest bar. */
const FARTHEST_TICK = 2.5;

/** Letters; what quantization alone is called fits. */
const LONGEST_NAME = 42;

/** Median with a tick at p95. */
export function latencyChart(report: OptimizeReport): SafeHtml {
  return drawChart('Latency of each candidate', (width) => drawLatencies(report, width));
}

function drawLatencies(report: OptimizeReport, width: Width): Plot.PlotOptions {
  const rows = numberedCandidates(report).map(({ number, candidate }) => ({
    label: width === 'wide' ? `${cut(candidate.recipe)}  ${number}` : String(number),
    p50: candidate.latencyMs.p50,
    p95: candidate.latencyMs.p95,
    text: `${formatMs(candidate.latencyMs.p50)} / ${formatMs(candidate.latencyMs.p95)}`,
    fill: candidateColor(report, candidate),
  }));
  const limits = [report.budget.latencyMs?.p50, report.budget.latencyMs?.p95].filter(
    (limit) => limit !== undefined,
  );
  // A far p95 of one candidate must not flatten the bars of all.
  const longest = Math.min(
    Math.max(...rows.map(({ p95 }) => p95)),
    FARTHEST_TICK * Math.max(...rows.map(({ p50 }) => p50)),
  );
  return {
    width: WIDTHS[width],
    height: 60 + rows.length * 26,
    marginLeft: labelMargin(rows.map(({ label }) => label)),
    marginRight: 122,
    marginBottom: 42,
    x: {
      label: 'ms (bar: median, tick: 95 %) →',
      domain: [0, longest],
      grid: true,
      ticks: width === 'wide' ? 8 : 4,
    },
    y: { label: null, domain: rows.map(({ label }) => label), tickSize: 0 },
    marks: [
      Plot.barX(rows, { x: 'p50', y: 'label', fill: 'fill', insetTop: 4, insetBottom: 4, rx: 2 }),
      Plot.tickX(
        rows.filter(({ p95 }) => p95 <= longest),
        { x: 'p95', y: 'label', stroke: 'fill', strokeWidth: 2, insetTop: 3, insetBottom: 3 },
      ),
      Plot.text(rows, {
        y: 'label',
        text: 'text',
        frameAnchor: 'right',
        textAnchor: 'start',
        dx: 8,
        fill: 'currentColor',
      }),
      Plot.ruleX(
        limits.filter((limit) => limit <= longest),
        { stroke: COLORS.limit, strokeDasharray: '4 3' },
      ),
    ],
  };
}

/** The start of a recipe's name: the table has it whole, and bars need room. */
function cut(name: string): string {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name;
}
