import { metricTitle } from '../../report/metric-title.ts';
import { hasLimits } from '@edgewise/compiler';
import { formatBytes, formatInterval, formatMs, formatPercent, formatPoints } from '../../terminal/format.ts';
import { renderTable } from '../../terminal/table.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { missedText } from '../../report/limit-text.ts';
import type { CandidateReport, OptimizeReport } from '../../report/optimize-report.ts';

/** The table at the end of `optimize`. */
export function candidateTable(report: OptimizeReport, colors: Terminal['dataColors']): string {
  const rows = [report.baseline, ...report.candidates].map((candidate) => {
    const { downloadBytes, latencyMs, metric } = candidate;
    return [
      candidate.recipe === report.chosen ? colors.bold(candidate.recipe) : candidate.recipe,
      formatBytes(downloadBytes.raw),
      formatBytes(downloadBytes.brotli),
      `${formatMs(latencyMs.p50)} / ${formatMs(latencyMs.p95)}`,
      formatBytes(candidate.peakMemoryBytes),
      `${formatPercent(metric.value)} ${formatInterval(metric)}`,
      candidate === report.baseline ? '' : formatPoints(-candidate.drop.value),
      verdict(report, candidate, colors),
    ];
  });
  return renderTable(
    [
      { title: 'candidate' },
      { title: 'download', align: 'right' },
      { title: 'brotli', align: 'right' },
      { title: 'p50 / p95', align: 'right' },
      { title: 'memory', align: 'right' },
      { title: `${metricTitle(report.baseline.metric.name)} [95 %]`, align: 'right' },
      { title: 'change', align: 'right' },
      { title: hasLimits(report.budget) ? 'budget' : '' },
    ],
    rows,
  );
}

function verdict(report: OptimizeReport, candidate: CandidateReport, colors: Terminal['dataColors']): string {
  if (candidate === report.baseline) return colors.dim('comparison');
  const limited = hasLimits(report.budget);
  if (candidate.recipe === report.chosen) return colors.green(limited ? 'met, chosen' : 'chosen');
  if (!limited) return '';
  if (candidate.meetsBudget) return colors.green('met');
  return colors.red(candidate.failed.map(missedText).join('; '));
}
