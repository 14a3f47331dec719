import { CompilerError, type Diagnostic } from '../diagnostics/index.ts';
import { cloneModel, validateModel, type Model, type Tensor } from '../ir/index.ts';
import { compareOutputs, type Outputs } from './compare-outputs.ts';
import type { Tolerance, Transform } from './transform.ts';

/** Runs a model: inputs by name to outputs by name. `evaluateModel` of ops/, or onnxruntime in the CLI. */
export type Evaluator = (model: Model, inputs: ReadonlyMap<string, Tensor>) => Outputs | Promise<Outputs>;

export interface RunPassesOptions {
  /** Inputs on which the outputs are compared after every pass that changed something. Default: none, no comparison. */
  readonly samples?: readonly ReadonlyMap<string, Tensor>[];
  /** Runs the model on a sample; required with `samples`. */
  readonly evaluate?: Evaluator;
  /**
   * Added to every pass's own tolerance, for evaluators that optimise by themselves (onnxruntime) and so change their
   * rounding with the graph. Default: nothing.
   */
  readonly noise?: Tolerance;
  /** Stops after the pass of this name (its last occurrence), or after this many passes. Default: all run. */
  readonly stopAfter?: string | number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { pass: string; index: number; count: number }) => void;
  /** Milliseconds, for `steps[].ms`. Default: no times. */
  readonly now?: () => number;
}

export interface PassStep {
  readonly name: string;
  /** 0 when the pass changed nothing or was rolled back. */
  readonly edits: number;
  /** Largest difference of any output from the model before the pass, over all samples; 0 without samples. */
  readonly error: number;
  readonly rolledBack: boolean;
  readonly ms?: number;
}

export interface RunPassesResult {
  readonly model: Model;
  readonly steps: readonly PassStep[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Applies the transforms in order to a clone of the model. After each one that reports edits the graph is validated and
 * its outputs on the samples are compared with those of the model before it; a pass that fails is undone with a
 * `pass-rolled-back` diagnostic and the next one goes on from there.
 * @throws CompilerError `bad-option` for samples without an evaluator or an unknown `stopAfter`; `aborted`.
 */
export async function runPasses(
  model: Model,
  transforms: readonly Transform[],
  options: RunPassesOptions = {},
): Promise<RunPassesResult> {
  const { evaluate, samples = [] } = options;
  if (samples.length > 0 && evaluate === undefined)
    throw new CompilerError('bad-option', 'runPasses: samples need an evaluator', {
      hint: 'pass evaluate: evaluateModel',
    });
  const passes = transforms.slice(0, countPasses(transforms, options.stopAfter));
  const run = (candidate: Model): Promise<Outputs[]> =>
    Promise.all(
      samples.map(async (sample) => (await evaluate?.(candidate, sample)) ?? new Map<string, Tensor>()),
    );

  let current: State = { model: cloneModel(model), outputs: await run(model) };
  const steps: PassStep[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const [index, pass] of passes.entries()) {
    if (options.signal?.aborted === true)
      throw new CompilerError('aborted', `stopped before ${pass.name}`, { cause: options.signal.reason });
    options.onProgress?.({ pass: pass.name, index, count: passes.length });
    const start = options.now?.();
    const outcome = await attempt(pass, current, run, options);
    diagnostics.push(...outcome.diagnostics);
    steps.push({
      name: pass.name,
      edits: outcome.edits,
      error: outcome.error,
      rolledBack: outcome.state === undefined,
      ...(start !== undefined && options.now !== undefined && { ms: options.now() - start }),
    });
    current = outcome.state ?? current;
  }
  return { model: current.model, steps, diagnostics };
}

interface State {
  readonly model: Model;
  /** Outputs per sample. */
  readonly outputs: readonly Outputs[];
}

interface Outcome {
  /** Undefined when the pass was rolled back. */
  readonly state?: State;
  readonly edits: number;
  readonly error: number;
  readonly diagnostics: readonly Diagnostic[];
}

async function attempt(
  pass: Transform,
  before: State,
  run: (model: Model) => Promise<Outputs[]>,
  options: RunPassesOptions,
): Promise<Outcome> {
  const model = cloneModel(before.model);
  const { edits, diagnostics = [] } = pass.apply(model);
  if (edits === 0) return { state: before, edits: 0, error: 0, diagnostics };
  const problem = validateModel(model).find(({ severity }) => severity === 'error');
  if (problem !== undefined)
    return rolledBack(
      pass,
      `it left an invalid graph: ${problem.message}`,
      Infinity,
      diagnostics,
      problem.at,
    );
  const outputs = await tryRun(model, run);
  if (outputs instanceof Error)
    return rolledBack(pass, `the graph it left does not run: ${outputs.message}`, Infinity, diagnostics);
  const tolerance = addTolerances(pass.tolerance, options.noise);
  let error = 0;
  for (const [sample, expected] of before.outputs.entries()) {
    const { worst, difference } = compareOutputs(
      outputs[sample] ?? new Map<string, Tensor>(),
      expected,
      tolerance,
    );
    error = Math.max(error, worst);
    if (difference === undefined) continue;
    const message = `on sample ${sample}, output '${difference.output}' ${difference.message}`;
    return rolledBack(pass, message, difference.error, diagnostics, { value: difference.output });
  }
  return { state: { model, outputs }, edits, error, diagnostics };
}

async function tryRun(model: Model, run: (model: Model) => Promise<Outputs[]>): Promise<Outputs[] | Error> {
  try {
    return await run(model);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function rolledBack(
  pass: Transform,
  why: string,
  error: number,
  diagnostics: readonly Diagnostic[],
  at?: Diagnostic['at'],
): Outcome {
  const diagnostic: Diagnostic = {
    severity: 'warning',
    code: 'pass-rolled-back',
    message: `${pass.name} was undone: ${why}`,
    ...(at !== undefined && { at }),
    hint: `the result is correct without ${pass.name}; please report the model`,
  };
  return { edits: 0, error, diagnostics: [...diagnostics, diagnostic] };
}

function addTolerances(a: Tolerance, b: Tolerance | undefined): Tolerance {
  return { absolute: a.absolute + (b?.absolute ?? 0), relative: a.relative + (b?.relative ?? 0) };
}

function countPasses(transforms: readonly Transform[], stopAfter: string | number | undefined): number {
  if (stopAfter === undefined) return transforms.length;
  if (typeof stopAfter === 'number') {
    if (Number.isInteger(stopAfter) && stopAfter >= 0) return stopAfter;
    throw new CompilerError('bad-option', `stopAfter must be a whole number of passes, got ${stopAfter}`);
  }
  const last = transforms.findLastIndex(({ name }) => name === stopAfter);
  if (last >= 0) return last + 1;
  const names = [...new Set(transforms.map(({ name }) => name))].join(', ');
  throw new CompilerError('bad-option', `stopAfter: there is no pass '${stopAfter}'`, {
    hint: `the passes are ${names}`,
  });
}
