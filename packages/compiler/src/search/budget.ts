import type { Budget } from '@edgewise/runtime/format';
import type { Evaluation } from '../evaluate/index.ts';

export type Limit = 'downloadBytes' | 'latencyP50Ms' | 'latencyP95Ms' | 'peakMemoryBytes' | 'drop';

/** A limit that a candidate breaks, with what was measured, in the limit's unit. */
export interface MissedLimit {
  readonly limit: Limit;
  readonly allowed: number;
  readonly measured: number;
}

interface LimitReader {
  readonly allowed: (budget: Budget) => number | undefined;
  readonly measured: (evaluation: Evaluation) => number;
}

const LIMITS: Readonly<Record<Limit, LimitReader>> = {
  /** Compressed: what travels. */
  downloadBytes: {
    allowed: (budget) => budget.downloadBytes,
    measured: (evaluation) => evaluation.downloadBytes.brotli,
  },
  latencyP50Ms: {
    allowed: (budget) => budget.latencyMs?.p50,
    measured: (evaluation) => evaluation.latencyMs.p50,
  },
  latencyP95Ms: {
    allowed: (budget) => budget.latencyMs?.p95,
    measured: (evaluation) => evaluation.latencyMs.p95,
  },
  peakMemoryBytes: {
    allowed: (budget) => budget.peakMemoryBytes,
    measured: (evaluation) => evaluation.peakMemoryBytes,
  },
  /** The measured drop, not the end of its interval: few data sets are large enough to exclude half a point. */
  drop: { allowed: (budget) => budget.drop, measured: (evaluation) => evaluation.drop.value },
};

/** Drops are differences of sums: equal to the limit up to rounding is within it. */
const ROUNDING = 1e-9;

/** Whether there is any limit to keep. */
export function hasLimits(budget: Budget): boolean {
  return Object.values(LIMITS).some(({ allowed }) => allowed(budget) !== undefined);
}

/** Every limit that the measurements break; empty when the budget is met. */
export function missedLimits(budget: Budget, evaluation: Evaluation): readonly MissedLimit[] {
  return (Object.keys(LIMITS) as Limit[]).flatMap((limit) => {
    const allowed = LIMITS[limit].allowed(budget);
    const measured = LIMITS[limit].measured(evaluation);
    return allowed === undefined || measured <= allowed + ROUNDING ? [] : [{ limit, allowed, measured }];
  });
}
