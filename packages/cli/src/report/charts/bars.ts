import * as Plot from '@observablehq/plot';
import { COLORS, labelMargin, WIDTHS, type Width } from './draw-chart.ts';

/** Opacity of bars that others stand out from. */
const FAINT = 0.35;

export interface Bar {
  readonly name: string;
  readonly value: number;
  /** Default false. */
  readonly isFaint?: boolean;
}

/** A bar for each row with a text behind it, in the order of the rows. */
export function drawBars<B extends Bar>(
  rows: readonly B[],
  width: Width,
  {
    label,
    text,
    textWidth = 50,
  }: { readonly label: string; readonly text: (row: B) => string; readonly textWidth?: number },
): Plot.PlotOptions {
  return {
    width: WIDTHS[width],
    height: 60 + rows.length * 22,
    marginLeft: labelMargin(rows.map(({ name }) => name)),
    marginRight: textWidth,
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
        text,
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
export function shortNames(names: readonly string[], width: Width): readonly string[] {
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
