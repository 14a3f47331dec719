/** How a metric is written where its name is not a word. */
const TITLES: Readonly<Record<string, string>> = {
  f1: 'F1',
  'f1-macro': 'F1, macro',
  'f1-micro': 'F1, micro',
  auroc: 'AUROC',
  map: 'mAP',
  map50: 'mAP at 0.5',
};

/** A metric's name as people write it: `mAP`, `F1`, `accuracy`. */
export function metricTitle(name: string): string {
  return TITLES[name] ?? name;
}

/** The same at the start of a line: `Accuracy`, `mAP`. */
export function metricHeading(name: string): string {
  const title = metricTitle(name);
  return name in TITLES ? title : title.slice(0, 1).toUpperCase() + title.slice(1);
}
