import * as Plot from '@observablehq/plot';
import type { Budget } from '@edgewise/runtime/format';
import type { SafeHtml } from '../html.ts';
import { metricTitle } from '../metric-title.ts';
import { numberedCandidates } from '../numbered-candidates.ts';
import type { OptimizeReport } from '../optimize-report.ts';
import { candidateColor, COLORS, drawChart, WIDTHS, type Width } from './draw-chart.ts';
import { POINT_RADIUS, spread } from './spread.ts';

const MEGABYTE = 1e6;

/** Left and right of the frame, together. */
const SIZE_MARGINS = 66;

/**
 * Download against metric. Whiskers are the paired interval of the drop, drawn below the original's value: what the
 * comparison with the original can be trusted for, far tighter than the metric's own interval.
 */
export function sizeChart(report: OptimizeReport): SafeHtml {
  return drawChart('Download size against quality', (width) => drawSizes(report, width));
}

/** Whether the budget has limits that the chart can show. */
export function isShaded({ downloadBytes, drop }: Budget): boolean {
  return downloadBytes !== undefined || drop !== undefined;
}

function drawSizes(report: OptimizeReport, width: Width): Plot.PlotOptions {
  const { baseline, budget } = report;
  const all = numberedCandidates(report);
  const points = all.map(({ number, candidate }) => ({
    number,
    candidate,
    size: candidate.downloadBytes.brotli / MEGABYTE,
    value: 100 * candidate.metric.value,
    low: 100 * (baseline.metric.value - candidate.drop.high),
    high: 100 * (baseline.metric.value - candidate.drop.low),
  }));
  const maxSize = 1.08 * Math.max(...points.map(({ size }) => size));
  const low = Math.min(...points.map((point) => point.low));
  const high = Math.max(...points.map((point) => point.high));
  const margin = Math.max(0.1, 0.12 * (high - low));
  const region = {
    x1: 0,
    x2: Math.min(maxSize, (budget.downloadBytes ?? Infinity) / MEGABYTE),
    y1: Math.max(
      low - margin,
      budget.drop === undefined ? -Infinity : 100 * (baseline.metric.value - budget.drop),
    ),
    y2: high + margin,
  };
  const room = WIDTHS[width] - SIZE_MARGINS;
  const shifts = spread(
    points.map(({ size }) => (size / maxSize) * room),
    room,
  );
  return {
    width: WIDTHS[width],
    height: width === 'wide' ? 380 : 300,
    marginLeft: 46,
    marginRight: SIZE_MARGINS - 46,
    marginBottom: 40,
    x: { domain: [0, maxSize], label: 'download, MB (brotli) →', ticks: width === 'wide' ? 8 : 4 },
    y: {
      domain: [low - margin, high + margin],
      label: `↑ ${metricTitle(baseline.metric.name)}, %`,
      ticks: 6,
      grid: true,
    },
    marks: [
      Plot.rect(isShaded(budget) ? [region] : [], {
        x1: 'x1',
        x2: 'x2',
        y1: 'y1',
        y2: 'y2',
        fill: COLORS.budget,
      }),
      Plot.ruleY([100 * baseline.metric.value], {
        stroke: 'currentColor',
        strokeOpacity: 0.5,
        strokeDasharray: '4 3',
      }),
      ...points.flatMap((point, i) => {
        const dx = shifts[i] ?? 0;
        const fill = candidateColor(report, point.candidate);
        return [
          Plot.ruleX([point], { x: 'size', y1: 'low', y2: 'high', stroke: fill, strokeWidth: 1.5, dx }),
          Plot.dot([point], {
            x: 'size',
            y: 'value',
            r: POINT_RADIUS,
            fill,
            stroke: 'var(--page)',
            strokeWidth: 1.5,
            dx,
          }),
          Plot.text([point], {
            x: 'size',
            y: 'value',
            text: 'number',
            fill: 'var(--page)',
            fontWeight: 700,
            fontSize: 11,
            dx,
          }),
        ];
      }),
    ],
  };
}
