import * as Plot from '@observablehq/plot';
import type { Budget } from '@edgewise/runtime/format';
import type { LatencyPoint } from '@edgewise/compiler';
import type { SafeHtml } from '../html.ts';
import type { LengthReport } from '../optimize-report.ts';
import { COLORS, drawChart, WIDTHS, type Width } from './draw-chart.ts';

const PERCENTS = [0, 25, 50, 75, 100];

/** Room over the longest time. */
const HEADROOM = 1.05;

/** By number of tokens: the share of the texts that fit, and the time of an answer, each with an axis of its own. */
export function lengthChart(length: LengthReport, latencyMs: Budget['latencyMs'] = {}): SafeHtml {
  const limits = Object.values(latencyMs).filter((limit) => limit !== undefined);
  return drawChart('Texts that fit and time of an answer by number of tokens', (width) =>
    drawLength(length, limits, width),
  );
}

function drawLength(
  { maxTokens, modelTokens, truncation, curve }: LengthReport,
  limits: readonly number[],
  width: Width,
): Plot.PlotOptions {
  // Milliseconds are the scale's unit; shares are drawn as parts of the most of them.
  const top = curve.length === 0 ? 1 : HEADROOM * Math.max(...curve.map(({ ms }) => ms));
  const fitting = truncation.map(({ tokens, share }) => ({ tokens, share: 1 - share }));
  const last = { tokens: modelTokens, share: fitting.at(-1)?.share ?? 1 };
  return {
    width: WIDTHS[width],
    height: width === 'wide' ? 300 : 260,
    marginLeft: 40,
    marginRight: 24,
    marginTop: 52,
    marginBottom: 42,
    x: {
      type: 'log',
      base: 2,
      insetLeft: 18,
      domain: [fitting[0]?.tokens ?? 1, modelTokens],
      label: 'tokens, logarithmic →',
      ticks: 8,
      tickFormat: 'd',
    },
    y: { domain: [0, top] },
    marks: [
      Plot.areaY([...fitting, last], {
        x: 'tokens',
        y: ({ share }: typeof last) => share * top,
        fill: COLORS.fails,
        fillOpacity: 0.15,
      }),
      Plot.lineY([...fitting, last], {
        x: 'tokens',
        y: ({ share }: typeof last) => share * top,
        stroke: COLORS.fails,
        strokeWidth: 1.5,
      }),
      Plot.axisY(
        PERCENTS.map((percent) => (percent / 100) * top),
        {
          anchor: 'left',
          label: '↑ texts that fit, %',
          tickFormat: (value: number) => String(Math.round((100 * value) / top)),
          color: COLORS.fails,
        },
      ),
      Plot.ruleX([maxTokens], { stroke: 'currentColor', strokeWidth: 1.5 }),
      Plot.text([maxTokens], {
        x: (tokens: number) => tokens,
        text: (tokens: number) => `cut after ${tokens}`,
        frameAnchor: 'top',
        dy: -14,
        fontWeight: 600,
        fill: 'currentColor',
      }),
      ...(curve.length === 0
        ? []
        : timeMarks(
            curve,
            limits.filter((limit) => limit <= top),
          )),
    ],
  };
}

function timeMarks(curve: LengthReport['curve'], limits: readonly number[]): readonly Plot.Markish[] {
  return [
    Plot.axisY([], { anchor: 'right', label: 'time of an answer, ms ↑', color: COLORS.chosen }),
    Plot.ruleY(limits, { stroke: COLORS.limit, strokeDasharray: '4 3' }),
    Plot.lineY(curve, { x: 'tokens', y: 'ms', stroke: COLORS.chosen, strokeWidth: 2 }),
    Plot.dot(curve, { x: 'tokens', y: 'ms', r: 3.5, fill: COLORS.chosen }),
    Plot.text(curve, {
      x: 'tokens',
      y: 'ms',
      text: ({ ms }: LatencyPoint) => shortTime(ms),
      dy: -10,
      fontSize: 11,
      fill: COLORS.chosen,
      stroke: 'var(--page)',
      strokeWidth: 3,
    }),
  ];
}

/** Two digits that count, and all before the point. */
function shortTime(ms: number): string {
  return ms < 99.5 ? ms.toPrecision(2) : ms.toFixed(0);
}
