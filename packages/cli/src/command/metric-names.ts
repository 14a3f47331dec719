import type { MetricName } from '@edgewise/compiler';

export type { MetricName };

/** The compiler's metrics by name, without loading the compiler for a help text. */
const NAMES: Readonly<Record<MetricName, true>> = {
  accuracy: true,
  f1: true,
  'f1-macro': true,
  matthews: true,
  'top-1': true,
  'top-5': true,
  'f1-micro': true,
  'exact-match': true,
  spearman: true,
  auroc: true,
  map: true,
  map50: true,
};

export const METRIC_NAMES: readonly MetricName[] = Object.keys(NAMES) as MetricName[];
