import type * as Plot from '@observablehq/plot';
import type { SafeHtml } from '../html.ts';
import type { LayerCost } from '../optimize-report.ts';
import { drawBars, shortNames } from './bars.ts';
import { drawChart, type Width } from './draw-chart.ts';

/** Layers beyond this many share one bar. */
const LAYERS_SHOWN = 14;

/** Multiply-accumulates of the original by layer. */
export function layerChart(layers: readonly LayerCost[]): SafeHtml {
  return drawChart('Cost of each layer', (width) => drawLayers(layers, width));
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
    text: ({ value }) => `${value.toFixed(1)} %`,
  });
}
