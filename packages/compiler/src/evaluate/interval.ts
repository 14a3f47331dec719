/** A value with the ends of its confidence interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Confidence of every interval that reports show. */
export const CONFIDENCE = 0.95;

/** Bisection steps: halves [0, 1] to the last bit of a double. */
const BISECTIONS = 60;

/**
 * Exact interval of a proportion from `successes` of `trials`.
 * Clopper & Pearson 1934, "The use of confidence or fiducial limits illustrated in the case of the binomial":
 * the ends are the proportions at which the observed count sits on a tail of (1 − confidence)/2.
 */
export function clopperPearson(successes: number, trials: number, confidence: number = CONFIDENCE): Estimate {
  const tail = (1 - confidence) / 2;
  const low = successes === 0 ? 0 : bisect((p) => 1 - binomialCdf(successes - 1, trials, p) < tail);
  const high = successes === trials ? 1 : bisect((p) => binomialCdf(successes, trials, p) > tail);
  return { value: successes / trials, low, high };
}

/**
 * Interval of the difference of two accuracies measured on the same examples: baseline minus candidate.
 * With b examples that only the baseline gets right and c that only the candidate does, the drop is (b − c)/n; the
 * interval is [low(b) − high(c), high(b) − low(c)] from exact (Clopper-Pearson) intervals of both proportions, each at
 * confidence 1 − (1 − confidence)/2, so that both hold at once (Bonferroni). Coverage is at least `confidence` for any
 * n, b and c, also when the two agree everywhere, where McNemar-type intervals collapse to a point.
 */
export function pairedAccuracyDrop(
  baselineCorrect: readonly boolean[],
  candidateCorrect: readonly boolean[],
  confidence: number = CONFIDENCE,
): Estimate {
  const trials = baselineCorrect.length;
  const both = 1 - (1 - confidence) / 2;
  const lost = baselineCorrect.filter((right, i) => right && !candidateCorrect[i]).length;
  const won = baselineCorrect.filter((right, i) => !right && candidateCorrect[i]).length;
  const b = clopperPearson(lost, trials, both);
  const c = clopperPearson(won, trials, both);
  return { value: (lost - won) / trials, low: b.low - c.high, high: b.high - c.low };
}

/** P(X ≤ k) for X binomial, summed from logarithms so that thousands of trials neither overflow nor vanish. */
export function binomialCdf(k: number, trials: number, p: number): number {
  if (p <= 0) return 1;
  if (p >= 1) return k >= trials ? 1 : 0;
  let logTerm = trials * Math.log1p(-p);
  const odds = Math.log(p) - Math.log1p(-p);
  let sum = Math.exp(logTerm);
  for (let i = 1; i <= k; i++) {
    logTerm += Math.log((trials - i + 1) / i) + odds;
    sum += Math.exp(logTerm);
  }
  return Math.min(1, sum);
}

/** The point in [0, 1] where `holds`, true to its left, becomes false. */
function bisect(holds: (p: number) => boolean): number {
  let low = 0;
  let high = 1;
  for (let step = 0; step < BISECTIONS; step++) {
    const middle = (low + high) / 2;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
