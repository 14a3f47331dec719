import type { Budget } from '@edgewise/runtime/format';
import type { Evaluation } from '../evaluate/index.ts';
import { hasLimits, missedLimits, type MissedLimit } from './budget.ts';

export interface Contender {
  readonly name: string;
  readonly evaluation: Evaluation;
}

export interface Choice {
  /** The chosen candidate, or the nearest one when `met` is false. */
  readonly name: string;
  readonly met: boolean;
  /** Sentences for people. */
  readonly reasons: readonly string[];
  /** When the budget is missed: the limits that the nearest candidate breaks; raised to `measured` they would be met. */
  readonly relax: readonly MissedLimit[];
}

/** Downloads that differ by less than this share count as equal; the faster one is then preferred. */
const SAME_SIZE = 0.01;

/** A smaller gain in speed is within what measurements vary. */
const WORTH_MENTIONING = 1.1;

/** A drop limit of 0 has no relative excess: it is compared as if it were half a point. */
const SMALLEST_DROP_LIMIT = 0.005;

/**
 * The names that nothing beats: no other candidate is at least as good in download, median latency and metric and
 * better in one of them. In the given order.
 */
export function paretoFront(contenders: readonly Contender[]): readonly string[] {
  return contenders
    .filter(({ evaluation }) => !contenders.some((other) => dominates(other.evaluation, evaluation)))
    .map(({ name }) => name);
}

/**
 * The smallest download within the budget, the faster one where sizes are equal; it lies on the Pareto front. When
 * none is within: the one whose worst relative excess over a limit is smallest.
 * @param contenders what could be shipped, at least one
 */
export function choose(contenders: readonly Contender[], budget: Budget): Choice {
  const within = contenders.filter(({ evaluation }) => missedLimits(budget, evaluation).length === 0);
  const [best] = within.toSorted(bySizeThenSpeed);
  if (best) {
    const reasons = [
      hasLimits(budget)
        ? smallestReason(within.length, contenders.length)
        : `The smallest download of ${contenders.length} candidates; no limit was given.`,
      ...faster(best, within),
      ...better(best, within),
    ];
    return { name: best.name, met: true, reasons, relax: [] };
  }
  const [nearest] = contenders.toSorted(
    (a, b) => excess(budget, a.evaluation) - excess(budget, b.evaluation),
  );
  if (!nearest) throw new RangeError('choose: there are no candidates.');
  return {
    name: nearest.name,
    met: false,
    reasons: [`None of ${contenders.length} candidates meets the budget; this one is nearest.`],
    relax: missedLimits(budget, nearest.evaluation),
  };
}

function dominates(a: Evaluation, b: Evaluation): boolean {
  const pairs = [
    [a.downloadBytes.brotli, b.downloadBytes.brotli],
    [a.latencyMs.p50, b.latencyMs.p50],
    [-a.metric.value, -b.metric.value],
  ] as const;
  return pairs.every(([x, y]) => x <= y) && pairs.some(([x, y]) => x < y);
}

/** The smaller download first, the faster of those of about one size. */
export function bySizeThenSpeed(a: Pick<Contender, 'evaluation'>, b: Pick<Contender, 'evaluation'>): number {
  const sizeA = a.evaluation.downloadBytes.brotli;
  const sizeB = b.evaluation.downloadBytes.brotli;
  if (Math.abs(sizeA - sizeB) > SAME_SIZE * Math.min(sizeA, sizeB)) return sizeA - sizeB;
  return a.evaluation.latencyMs.p50 - b.evaluation.latencyMs.p50;
}

function smallestReason(within: number, all: number): string {
  return within === 1
    ? `The only one of ${all} candidates that meets the budget.`
    : `The smallest download of the ${within} (of ${all}) candidates that meet the budget.`;
}

function faster(best: Contender, within: readonly Contender[]): readonly string[] {
  const [fastest] = within.toSorted((a, b) => a.evaluation.latencyMs.p50 - b.evaluation.latencyMs.p50);
  if (!fastest || fastest === best) return [];
  const ratio = best.evaluation.latencyMs.p50 / fastest.evaluation.latencyMs.p50;
  return ratio < WORTH_MENTIONING ? [] : [`${fastest.name} is faster (${ratio.toFixed(2)}×) but larger.`];
}

function better(best: Contender, within: readonly Contender[]): readonly string[] {
  const [top] = within.toSorted((a, b) => b.evaluation.metric.value - a.evaluation.metric.value);
  if (!top || top.evaluation.metric.value <= best.evaluation.metric.value) return [];
  const points = (100 * (top.evaluation.metric.value - best.evaluation.metric.value)).toFixed(2);
  return [`${top.name} scores ${points} points more but is larger.`];
}

function excess(budget: Budget, evaluation: Evaluation): number {
  const shares = missedLimits(budget, evaluation).map(({ limit, allowed, measured }) => {
    const scale = limit === 'drop' ? Math.max(allowed, SMALLEST_DROP_LIMIT) : allowed;
    return (measured - allowed) / Math.max(scale, Number.MIN_VALUE);
  });
  return Math.max(0, ...shares);
}
