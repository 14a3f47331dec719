import type {
  DownloadBytes,
  Estimate,
  LatencyPoint,
  LatencyStats,
  LayerSensitivity,
  MissedLimit,
  RecipeStep,
} from '@edgewise/compiler';
import type { Budget } from '@edgewise/runtime/format';

/** What `optimize` found, as written to report.json. Sizes are bytes, times milliseconds, shares 0…1. */
export interface OptimizeReport {
  readonly edgewise: string;
  /** ISO 8601. */
  readonly date: string;
  readonly machine: Machine;
  readonly model: { readonly name: string; readonly bytes: number };
  readonly task: string;
  readonly target: string;
  readonly data: { readonly name: string; readonly examples: number };
  readonly budget: Budget;
  /** The float original. */
  readonly baseline: CandidateReport;
  readonly candidates: readonly CandidateReport[];
  /** Recipes that do not fit the model or make the same as others, with the reason. */
  readonly refused: readonly { readonly recipe: string; readonly reason: string }[];
  /** Recipe that was packaged; null when no candidate meets the budget. */
  readonly chosen: string | null;
  /** The chosen one, or the one that comes nearest to the budget. */
  readonly nearest: string;
  readonly reasons: readonly string[];
  /** Limits to relax to these measurements for `nearest` to meet the budget. */
  readonly relax: readonly MissedLimit[];
  /** Cost of the original by layer, in the order of computation. */
  readonly layers: readonly LayerCost[];
  /** Of models of texts: how long inputs may be. */
  readonly length?: LengthReport;
  /** What the answers lose when one layer alone is quantized, where that was asked for. */
  readonly sensitivity?: {
    readonly scheme: string;
    readonly layers: readonly LayerSensitivity[];
  };
  /** How the numbers were made, for people. */
  readonly notes: readonly string[];
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly os: string;
  readonly node: string;
  readonly browser?: string;
  readonly onnxruntime?: string;
}

export interface CandidateReport {
  readonly recipe: string;
  readonly steps: readonly RecipeStep[];
  readonly runner: string;
  readonly downloadBytes: DownloadBytes;
  readonly latencyMs: LatencyStats;
  readonly coldStartMs: number;
  readonly peakMemoryBytes: number;
  readonly metric: Estimate & { readonly name: string };
  /** Against the baseline, on the same examples; positive is worse. */
  readonly drop: Estimate;
  /** Whether metric and drop are from an earlier run of the same files on the same data. Times and memory never are. */
  readonly metricReused: boolean;
  readonly meetsBudget: boolean;
  readonly failed: readonly MissedLimit[];
  readonly onParetoFront: boolean;
}

export interface LengthReport {
  /** Tokens of the longest input of every package; texts with more are cut. */
  readonly maxTokens: number;
  /** The model's own limit. */
  readonly modelTokens: number;
  /** Texts of data and calibration, whose tokens were counted. */
  readonly texts: number;
  /** Share of the texts that are cut. */
  readonly truncated: number;
  /** The same for other lengths in steps of 8, up to the one that cuts nothing or the model's limit. */
  readonly truncation: readonly { readonly tokens: number; readonly share: number }[];
  /** What of it was decided by what, for people: one sentence each. */
  readonly reasons: readonly string[];
  /** What the curve was measured with. */
  readonly recipe: string;
  /** Median time of one input by its tokens, ascending; empty where it could not be measured. */
  readonly curve: readonly LatencyPoint[];
}

export interface LayerCost {
  readonly name: string;
  readonly macs: number;
  readonly parameterBytes: number;
}
