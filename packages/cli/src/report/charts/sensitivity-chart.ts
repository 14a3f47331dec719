import type { LayerSensitivity } from '@edgewise/compiler';
import type * as Plot from '@observablehq/plot';
import type { SafeHtml } from '../html.ts';
import { formatPoints } from '../../terminal/format.ts';
import { drawBars, shortNames } from './bars.ts';
import { drawChart, type Width } from './draw-chart.ts';

/** The ones that cost most. */
const LAYERS_SHOWN = 24;

/** Error of the answers by the layer that alone is quantized; faint but for those that were given more bits, if any were. */
export function sensitivityChart(
  layers: readonly LayerSensitivity[],
  widened: ReadonlySet<string>,
): SafeHtml {
  return drawChart('Sensitivity of each layer', (width) => drawSensitivity(layers, widened, width));
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
  const all = layers.map(({ layer, signalToNoiseDb, drop }, i) => ({
    name: names[i] ?? '',
    value: 100 * 10 ** (-signalToNoiseDb / 20),
    isFaint: widened.size > 0 && !widened.has(layer),
    drop,
  }));
  const shown = new Set(all.toSorted((a, b) => b.value - a.value).slice(0, LAYERS_SHOWN));
  const rows = all.filter((layer) => shown.has(layer));
  return drawBars(rows, width, {
    label: 'error, % of the spread of the answers →',
    text: ({ value, drop }) =>
      `${value.toPrecision(2)} %${drop === undefined ? '' : `   ${formatPoints(-drop)}`}`,
    textWidth: 90,
  });
}
