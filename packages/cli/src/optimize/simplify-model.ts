import {
  edgeEncoder,
  int64Tensor,
  runPasses,
  type Model,
  type RunPassesResult,
  type Tensor,
} from '@edgewise/compiler';
import { UsageError } from '../command/usage-error.ts';
import { withoutUndefined } from '../files/without-undefined.ts';
import { interruptibleEvaluator } from './interruptible-evaluator.ts';

export interface SimplifyOptions {
  /** Name of the last pass that runs; all without it. */
  readonly stopAfter: string | undefined;
  readonly signal: AbortSignal;
}

/** Tokens of the made-up input that passes are checked on; the last ones are padding. */
const SAMPLE_TOKENS = 10;
const PADDING = 2;

/** A model as `optimize` simplifies it before it quantizes, every pass checked on a made-up input where that is possible. */
export async function simplifyModel(
  model: Model,
  { stopAfter, signal }: SimplifyOptions,
): Promise<RunPassesResult> {
  const passes = edgeEncoder();
  if (stopAfter !== undefined && !passes.some(({ name }) => name === stopAfter)) {
    const names = [...new Set(passes.map(({ name }) => name))].join(', ');
    throw new UsageError(`--stop-after: there is no pass '${stopAfter}'. The passes are ${names}.`);
  }
  const sample = madeUpSample(model);
  const check = sample && { samples: [sample], evaluate: interruptibleEvaluator() };
  return runPasses(model, passes, { ...withoutUndefined({ stopAfter }), ...check, signal });
}

/** Undefined for a model with other inputs than a text encoder's. */
function madeUpSample(model: Model): ReadonlyMap<string, Tensor> | undefined {
  const rows = Array.from({ length: SAMPLE_TOKENS }, (_, row) => row);
  const known: Readonly<Record<string, number[]>> = {
    input_ids: rows.map((row) => 2 + row),
    attention_mask: rows.map((row) => Number(row < SAMPLE_TOKENS - PADDING)),
    token_type_ids: rows.map(() => 0),
  };
  const inputs = model.graph.inputs.filter(({ name }) => !model.graph.initializers.has(name));
  if (!inputs.every(({ name }) => name in known)) return undefined;
  return new Map(inputs.map(({ name }) => [name, int64Tensor([1, SAMPLE_TOKENS], known[name] ?? [])]));
}
