import { metricTitle } from './metric-title.ts';
import type { OptimizeReport } from './optimize-report.ts';

/** Which numbers are from an earlier run and which are not; undefined when none are. */
export function reuseText({ baseline, candidates, data }: OptimizeReport): string | undefined {
  const rows = [baseline, ...candidates];
  const reused = rows.filter(({ metricReused }) => metricReused).length;
  if (reused === 0) return undefined;
  const which = reused === rows.length ? 'every row' : `${reused} of ${rows.length} rows`;
  return (
    `The ${metricTitle(baseline.metric.name)} of ${which} is known from an earlier run of the same files on the same ${data.examples} examples; ` +
    'all times and memory were measured now. --fresh runs everything again.'
  );
}
