import type { Evaluation } from '../evaluate/index.ts';

/** What the deployed model may cost. A limit that is left out does not bind. */
export interface Budget {
  /** Everything a device fetches, each file brotli-compressed. */
  readonly maxSizeBytes?: number;
  /** Median time of one input, after warm-up. */
  readonly maxLatencyMs?: number;
  readonly maxLatencyP95Ms?: number;
  readonly maxMemoryBytes?: number;
  /** Largest loss of the metric, absolute: 0.005 is half a point of accuracy. Held against the measured value. */
  readonly maxDrop?: number;
}

export type Limit = keyof Budget;

/** A limit that a candidate breaks, with what was measured, in the limit's unit. */
export interface MissedLimit {
  readonly limit: Limit;
  readonly allowed: number;
  readonly measured: number;
}

const MEASURED: Readonly<Record<Limit, (evaluation: Evaluation) => number>> = {
  maxSizeBytes: ({ downloadBytes }) => downloadBytes.brotli,
  maxLatencyMs: ({ latencyMs }) => latencyMs.p50,
  maxLatencyP95Ms: ({ latencyMs }) => latencyMs.p95,
  maxMemoryBytes: ({ peakMemoryBytes }) => peakMemoryBytes,
  maxDrop: ({ drop }) => drop.value,
};

/** Drops are differences of sums: equal to the limit up to rounding is within it. */
const ROUNDING = 1e-9;

/** Every limit that the measurements break; empty when the budget is met. */
export function missedLimits(budget: Budget, evaluation: Evaluation): readonly MissedLimit[] {
  return (Object.keys(MEASURED) as Limit[]).flatMap((limit) => {
    const allowed = budget[limit];
    const measured = MEASURED[limit](evaluation);
    return allowed === undefined || measured <= allowed + ROUNDING ? [] : [{ limit, allowed, measured }];
  });
}
