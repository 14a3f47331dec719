import { metricHeading, metricTitle } from './metric-title.ts';
import { hasLimits, widenedLayers } from '@edgewise/compiler';
import { formatBytes, formatMs, formatPercent, formatPoints } from '../terminal/format.ts';
import { latencyChart } from './charts/latency-chart.ts';
import { layerChart } from './charts/layer-chart.ts';
import { lengthChart } from './charts/length-chart.ts';
import { sensitivityChart } from './charts/sensitivity-chart.ts';
import { isShaded, sizeChart } from './charts/size-chart.ts';
import { html, trusted, type SafeHtml } from './html.ts';
import { limitText, missedText } from './limit-text.ts';
import { numberedCandidates, type NumberedCandidate } from './numbered-candidates.ts';
import type { CandidateReport, OptimizeReport } from './optimize-report.ts';
import { REPORT_STYLE } from './report-style.ts';
import { reuseText } from './reuse-text.ts';

/** The report as one HTML file that needs nothing else: no script, no request. */
export function reportHtml(report: OptimizeReport): string {
  const shown = report.candidates.find(({ recipe }) => recipe === report.nearest) ?? report.baseline;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        />
        <link rel="icon" href="data:," />
        <title>${report.model.name}: optimization report</title>
        <style>
          ${trusted(REPORT_STYLE)}
        </style>
      </head>
      <body>
        <main>
          ${header(report, shown)} ${tiles(report, shown)}
          <section>
            <h2>Candidates</h2>
            ${candidateTable(report)} ${reused(report)} ${refused(report)}
          </section>
          <section>
            <h2>Size against quality</h2>
            ${sizeChart(report)}
            <p class="caption">
              Numbers are rows of the table. Whiskers: 95 % interval of the difference to the original on the
              same ${report.data.examples} examples.
              ${isShaded(report.budget) ? 'Shaded: the budget. ' : ''}Dashed: the original. Points of about
              one size are moved apart.
            </p>
          </section>
          <section>
            <h2>Latency</h2>
            ${latencyChart(report)}
            <p class="caption">
              One input after the other, after warm-up.
              ${report.budget.latencyMs ? 'Dashed: the budget, where it fits in the picture.' : ''}
            </p>
          </section>
          ${length(report)} ${layers(report)} ${sensitivity(report, shown)} ${details(report)}
        </main>
      </body>
    </html> `.text;
}

function header(report: OptimizeReport, shown: CandidateReport): SafeHtml {
  const verdict =
    report.chosen === null
      ? html`<p class="verdict missed">
          <strong>No candidate meets the budget.</strong> Nearest: <code>${shown.recipe}</code>.
          ${report.relax.map((missed) => html` Relax ${limitText(missed)}.`)}
        </p>`
      : html`<p class="verdict met">
          ${chosenBy(report)} <code>${shown.recipe}</code>. ${report.reasons.join(' ')}
        </p>`;
  return html`<header>
    <p class="kind">
      Edgewise ${report.edgewise} · ${report.task} for ${report.target} · ${report.date.slice(0, 10)}
    </p>
    <h1>${report.model.name}</h1>
    ${verdict}
  </header>`;
}

function chosenBy({ budget }: OptimizeReport): SafeHtml {
  return hasLimits(budget) ? html`<strong>Budget met</strong> by` : html`<strong>Chosen</strong>:`;
}

function tiles({ baseline, data }: OptimizeReport, shown: CandidateReport): SafeHtml {
  const { drop } = shown;
  const facts = [
    {
      title: 'Download',
      value: formatBytes(shown.downloadBytes.brotli),
      note: `original ${formatBytes(baseline.downloadBytes.brotli)}, without a runtime`,
    },
    {
      title: 'Latency, median',
      value: formatMs(shown.latencyMs.p50),
      note: `95 %: ${formatMs(shown.latencyMs.p95)}; first answer after ${formatMs(shown.coldStartMs)}`,
    },
    {
      title: metricHeading(shown.metric.name),
      value: formatPercent(shown.metric.value),
      note: `${formatPercent(shown.metric.low)} to ${formatPercent(shown.metric.high)} on ${data.examples} examples`,
    },
    {
      title: 'Change, points',
      value: formatPoints(-drop.value),
      note: `${formatPoints(-drop.high)} to ${formatPoints(-drop.low)}`,
    },
    {
      title: 'Peak memory',
      value: formatBytes(shown.peakMemoryBytes),
      note: `original ${formatBytes(baseline.peakMemoryBytes)}`,
    },
  ];
  return html`<dl class="tiles">
    ${facts.map(
      ({ title, value, note }) =>
        html`<div>
          <dt>${title}</dt>
          <dd>${value}<small>${note}</small></dd>
        </div> `,
    )}
  </dl>`;
}

function candidateTable(report: OptimizeReport): SafeHtml {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Candidates">
    <table>
      <thead>
        <tr>
          <th></th>
          <th>recipe</th>
          <th class="n">download</th>
          <th class="n">unpacked</th>
          <th class="n">p50 / p95</th>
          <th class="n">memory</th>
          <th class="n">${metricTitle(report.baseline.metric.name)}</th>
          <th class="n">change, points</th>
        </tr>
      </thead>
      <tbody>
        ${numberedCandidates(report).map((each) => row(report, each))}
      </tbody>
    </table>
  </div>`;
}

function row(report: OptimizeReport, { number, candidate }: NumberedCandidate): SafeHtml {
  const { downloadBytes, latencyMs, metric, drop } = candidate;
  const isBaseline = candidate === report.baseline;
  const chosen = candidate.recipe === report.chosen ? 'chosen' : '';
  const change = isBaseline
    ? ''
    : `${formatPoints(-drop.value)} (${formatPoints(-drop.high)} to ${formatPoints(-drop.low)})`;
  return html`<tr class="${chosen}">
    <td class="n">${number}</td>
    <th scope="row">
      ${candidate.recipe}${chosen ? html` <span class="tag">chosen</span>` : ''}${verdict(report, candidate)}
    </th>
    <td class="n">${formatBytes(downloadBytes.brotli)}</td>
    <td class="n">${formatBytes(downloadBytes.raw)}</td>
    <td class="n">${formatMs(latencyMs.p50)} / ${formatMs(latencyMs.p95)}</td>
    <td class="n">${formatBytes(candidate.peakMemoryBytes)}</td>
    <td class="n">${formatPercent(metric.value)}</td>
    <td class="n">${change}</td>
  </tr> `;
}

function verdict({ baseline, budget }: OptimizeReport, candidate: CandidateReport): SafeHtml {
  if (!hasLimits(budget) && candidate !== baseline) return html``;
  if (candidate === baseline) return html`<small class="muted">what the others are compared with</small>`;
  if (candidate.meetsBudget) return html`<small class="good">within the budget</small>`;
  return html`<small class="bad">${candidate.failed.map(missedText).join('; ')}</small>`;
}

function reused(report: OptimizeReport): SafeHtml {
  const text = reuseText(report);
  return text === undefined ? html`` : html`<p class="caption">${text}</p>`;
}

function refused({ refused: list }: OptimizeReport): SafeHtml {
  if (list.length === 0) return html``;
  return html`<details>
    <summary>${list.length} recipes were left out</summary>
    <ul>
      ${list.map(({ recipe, reason }) => html`<li><code>${recipe}</code>: ${reason}</li>`)}
    </ul>
  </details>`;
}

function length({ length: measured, budget, task }: OptimizeReport): SafeHtml {
  if (measured === undefined) return html``;
  const { texts, curve, recipe, reasons } = measured;
  const each =
    task === 'feature-extraction' ? 'two texts of so many tokens each' : 'an input of so many tokens';
  return html`<section>
    <h2>Length of texts</h2>
    ${lengthChart(measured, budget.latencyMs)}
    <p class="caption">${reasons.join(' ')}</p>
    <p class="caption">
      Grey: the share of the ${texts} texts of data and calibration that fit into so many tokens.
      ${curve.length > 0 ? `Blue: the median time of ${each}, with ${recipe}.` : ''}
      ${budget.latencyMs && curve.length > 0 ? 'Dashed: the budget, where it fits in the picture.' : ''}
    </p>
  </section>`;
}

function layers(report: OptimizeReport): SafeHtml {
  if (!report.layers.some(({ macs }) => macs > 0)) return html``;
  return html`<section>
    <h2>Cost by layer</h2>
    ${layerChart(report.layers)}
    <p class="caption">Of the original, in the order of computation.</p>
  </section>`;
}

function sensitivity(report: OptimizeReport, shown: CandidateReport): SafeHtml {
  const { sensitivity: measured } = report;
  if (measured === undefined || measured.layers.length === 0) return html``;
  const widened = widenedLayers(shown.steps);
  return html`<section>
    <h2>Sensitivity by layer</h2>
    ${sensitivityChart(measured.layers, widened)}
    <p class="caption">
      Error of the answers when one layer alone is quantized (${measured.scheme}), root mean square against
      float${measured.layers.some(({ drop }) => drop !== undefined) ? html`, and what ${metricTitle(report.baseline.metric.name)} changes by, in points, on all ${report.data.examples} examples` : ''}.
      The layers that cost most, in the order of computation.
      ${widened.size > 0 ? html`In full colour: those that have more bits in <code>${shown.recipe}</code>.` : ''}
    </p>
  </section>`;
}

function details(report: OptimizeReport): SafeHtml {
  const { machine } = report;
  const rows = [
    ['Model', `${report.model.name}, ${formatBytes(report.model.bytes)}`],
    ['Data', `${report.data.name}, ${report.data.examples} examples`],
    ['Machine', `${machine.cpu}, ${machine.cores} cores, ${machine.os}`],
    ['Node', machine.node],
    ['Browser', machine.browser ?? ''],
    ['onnxruntime', machine.onnxruntime ?? ''],
    [
      'Measured by',
      [...new Set([report.baseline, ...report.candidates].map(({ runner }) => runner))].join('; '),
    ],
    ['Date', `${report.date.slice(0, 16).replace('T', ' ')} UTC`],
  ].filter(([, text]) => text !== '');
  return html`<section>
    <h2>How it was measured</h2>
    <table class="facts">
      <tbody>
        ${rows.map(
          ([name = '', text = '']) =>
            html`<tr>
              <th scope="row">${name}</th>
              <td>${text}</td>
            </tr> `,
        )}
      </tbody>
    </table>
    <ul class="notes">
      ${report.notes.map((note) => html`<li>${note}</li>`)}
    </ul>
  </section>`;
}
