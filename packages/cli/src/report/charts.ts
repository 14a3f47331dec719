import { metricTitle } from './metric-title.ts';
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { LayerSensitivity } from '@edgewise/compiler';
import { formatMs } from '../terminal/format.ts';
import { trusted, type SafeHtml } from './html.ts';
import type { CandidateReport, LayerCost, OptimizeReport } from './optimize-report.ts';

/** Charts are drawn once per width, so that text keeps its size on a phone; CSS shows the one that fits. */
const WIDTHS = { wide: 760, narrow: 320 } as const;

type Width = keyof typeof WIDTHS;

const COLORS = {
  chosen: 'var(--accent)',
  meets: 'var(--good)',
  fails: 'var(--muted)',
  baseline: 'currentColor',
  budget: 'var(--budget)',
  limit: 'var(--limit)',
} as const;

const FONT = { fontFamily: 'system-ui, sans-serif', background: 'none', overflow: 'visible' };

const MEGABYTE = 1e6;

const POINT_RADIUS = 9;

/** Between the middles of neighbouring points, in pixels. */
const POINT_DISTANCE = 18;

/** Left and right of the size chart's frame, together. */
const SIZE_MARGINS = 66;

/** The latency axis ends at this multiple of the longest bar. */
const FARTHEST_TICK = 2.5;

/** Of a letter in the charts' font, a little generous. */
const LETTER_WIDTH = 6.6;
/** Letters; what quantization alone is called fits. */
const LONGEST_NAME = 42;

/** Opacity of bars that others stand out from. */
const FAINT = 0.35;

/** Layers beyond this many share one bar. */
const LAYERS_SHOWN = 14;

/** Of the sensitivity chart: the ones that cost most. */
const SENSITIVE_LAYERS_SHOWN = 24;

/** A candidate with its number in the report's table; 0 is the original. */
export interface NumberedCandidate {
  readonly number: number;
  readonly candidate: CandidateReport;
}

/** The original as number 0, then the candidates in their order. */
export function numberedCandidates(report: OptimizeReport): readonly NumberedCandidate[] {
  return [report.baseline, ...report.candidates].map((candidate, number) => ({ number, candidate }));
}

/**
 * Download against metric. Whiskers are the paired interval of the drop, drawn below the original's value: what the
 * comparison with the original can be trusted for, far tighter than the metric's own interval.
 */
export function sizeChart(report: OptimizeReport): SafeHtml {
  return bothWidths('Download size against quality', (width) => drawSizes(report, width));
}

/** Median with a tick at p95. */
export function latencyChart(report: OptimizeReport): SafeHtml {
  return bothWidths('Latency of each candidate', (width) => drawLatencies(report, width));
}

/** Multiply-accumulates of the original by layer. */
export function layerChart(layers: readonly LayerCost[]): SafeHtml {
  return bothWidths('Cost of each layer', (width) => drawLayers(layers, width));
}

/** Error of the answers by the layer that alone is quantized; faint but for those that were given more bits, if any were. */
export function sensitivityChart(
  layers: readonly LayerSensitivity[],
  widened: ReadonlySet<string>,
): SafeHtml {
  return bothWidths('Sensitivity of each layer', (width) => drawSensitivity(layers, widened, width));
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
      Plot.rect(budget.downloadBytes === undefined && budget.drop === undefined ? [] : [region], {
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
        const fill = color(report, point.candidate);
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

/**
 * Pixels to move points sideways so that they do not cover each other: neighbours stand in rows around their middle, all
 * between 0 and `room`.
 */
function spread(positions: readonly number[], room: number): readonly number[] {
  const order = positions
    .map((position, index) => ({ position, index }))
    .sort((a, b) => a.position - b.position);
  let rows: (typeof order)[] = [];
  for (const point of order) {
    let row = [point];
    while (rows.length > 0 && leftEnd(row, room) - rightEnd(rows.at(-1) ?? [], room) < POINT_DISTANCE) {
      row = [...(rows.at(-1) ?? []), ...row];
      rows = rows.slice(0, -1);
    }
    rows.push(row);
  }
  const shifts = positions.map(() => 0);
  for (const row of rows)
    row.forEach(({ position, index }, place) => {
      shifts[index] = leftEnd(row, room) + place * POINT_DISTANCE - position;
    });
  return shifts;
}

type Row = readonly { readonly position: number }[];

function leftEnd(row: Row, room: number): number {
  const middle = row.reduce((sum, { position }) => sum + position, 0) / row.length;
  const length = (row.length - 1) * POINT_DISTANCE;
  return Math.max(POINT_RADIUS, Math.min(middle - length / 2, room - POINT_RADIUS - length));
}

function rightEnd(row: Row, room: number): number {
  return leftEnd(row, room) + (row.length - 1) * POINT_DISTANCE;
}

function drawLatencies(report: OptimizeReport, width: Width): Plot.PlotOptions {
  const rows = numberedCandidates(report).map(({ number, candidate }) => ({
    label: width === 'wide' ? `${cut(candidate.recipe)}  ${number}` : String(number),
    p50: candidate.latencyMs.p50,
    p95: candidate.latencyMs.p95,
    text: `${formatMs(candidate.latencyMs.p50)} / ${formatMs(candidate.latencyMs.p95)}`,
    fill: color(report, candidate),
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
    style: { ...FONT, fontSize: '12px' },
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

/** Room for the longest label, in the charts' font. */
function labelMargin(labels: readonly string[]): number {
  return 18 + LETTER_WIDTH * Math.max(...labels.map(({ length }) => length));
}

function drawLayers(layers: readonly LayerCost[], width: Width): Plot.PlotOptions {
  const costly = layers.filter(({ macs }) => macs > 0);
  const total = costly.reduce((sum, { macs }) => sum + macs, 0);
  const names = shortNames(
    costly.map(({ name }) => name),
    width,
  );
  const all = costly.map(({ macs }, i) => ({ name: names[i] ?? '', value: (100 * macs) / total }));
  const shown = new Set(all.toSorted((a, b) => b.value - a.value).slice(0, LAYERS_SHOWN));
  const rows = all.filter((layer) => shown.has(layer));
  const rest = all.filter((layer) => !shown.has(layer));
  if (rest.length > 0) {
    rows.push({ name: `${rest.length} others`, value: rest.reduce((sum, { value }) => sum + value, 0) });
  }
  return drawBars(rows, width, {
    label: 'share of multiply-accumulates, % →',
    text: (share) => `${share.toFixed(1)} %`,
  });
}

/** The layers that cost most, in the order of computation. */
function drawSensitivity(
  layers: readonly LayerSensitivity[],
  widened: ReadonlySet<string>,
  width: Width,
): Plot.PlotOptions {
  const names = shortNames(
    layers.map(({ layer }) => layer),
    width,
  );
  const all = layers.map(({ layer, signalToNoiseDb }, i) => ({
    name: names[i] ?? '',
    value: 100 * 10 ** (-signalToNoiseDb / 20),
    isFaint: widened.size > 0 && !widened.has(layer),
  }));
  const shown = new Set(all.toSorted((a, b) => b.value - a.value).slice(0, SENSITIVE_LAYERS_SHOWN));
  const rows = all.filter((layer) => shown.has(layer));
  return drawBars(rows, width, {
    label: 'error, % of the spread of the answers →',
    text: (error) => `${error.toPrecision(2)} %`,
  });
}

interface Bar {
  readonly name: string;
  readonly value: number;
  /** Default false. */
  readonly isFaint?: boolean;
}

/** A bar for each row with its value behind it, in the order of the rows. */
function drawBars(
  rows: readonly Bar[],
  width: Width,
  { label, text }: { readonly label: string; readonly text: (value: number) => string },
): Plot.PlotOptions {
  return {
    width: WIDTHS[width],
    height: 60 + rows.length * 22,
    marginLeft: labelMargin(rows.map(({ name }) => name)),
    marginRight: 50,
    marginBottom: 42,
    x: { label, grid: true, ticks: width === 'wide' ? 8 : 3 },
    y: { label: null, domain: rows.map(({ name }) => name), tickSize: 0 },
    opacity: { type: 'identity' },
    marks: [
      Plot.barX(rows, {
        x: 'value',
        y: 'name',
        fill: COLORS.chosen,
        fillOpacity: ({ isFaint = false }: Bar) => (isFaint ? FAINT : 1),
        insetTop: 3,
        insetBottom: 3,
        rx: 2,
      }),
      Plot.text(rows, {
        x: 'value',
        y: 'name',
        text: ({ value }: Bar) => text(value),
        textAnchor: 'start',
        dx: 6,
        fill: 'currentColor',
      }),
    ],
  };
}

/**
 * The last folders of a layer's name, as many as fit: exporters name layers by their path in the model and put the
 * operator behind it. Names that come out alike are numbered.
 */
function shortNames(names: readonly string[], width: Width): readonly string[] {
  const longest = width === 'wide' ? 38 : 17;
  const seen = new Map<string, number>();
  return names.map((name) => {
    const folders = name.split('/').filter(Boolean);
    const layers = folders.length > 2 ? folders.slice(0, -1) : folders;
    let short = layers.pop() ?? name;
    for (let next = layers.pop(); next && next.length + short.length < longest; next = layers.pop())
      short = `${next}/${short}`;
    const count = (seen.get(short) ?? 0) + 1;
    seen.set(short, count);
    return count === 1 ? short : `${short} (${count})`;
  });
}

function color(report: OptimizeReport, candidate: CandidateReport): string {
  if (candidate === report.baseline) return COLORS.baseline;
  if (candidate.recipe === report.chosen) return COLORS.chosen;
  return candidate.meetsBudget ? COLORS.meets : COLORS.fails;
}

function bothWidths(label: string, draw: (width: Width) => Plot.PlotOptions): SafeHtml {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  // Plot asks for a browser's Document and uses only what linkedom has.
  const plotDocument = document as unknown as NonNullable<Plot.PlotOptions['document']>;
  const charts = (Object.keys(WIDTHS) as Width[]).map((width) => {
    const style = { ...FONT, fontSize: '12px' };
    const svg = Plot.plot({ style, ...draw(width), ariaLabel: label, document: plotDocument });
    return `<div class="chart ${width}">${svg.outerHTML}</div>`;
  });
  return trusted(charts.join(''));
}
