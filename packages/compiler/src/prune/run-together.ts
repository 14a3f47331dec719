import { CompilerError } from '../diagnostics/index.ts';
import { isFloat32, typedData, type Model } from '../ir/index.ts';
import type { ActivationRunner, Sample } from '../quantize/index.ts';

export interface OpenedModel {
  readonly run: ActivationRunner;
  readonly close: () => void;
}

/** Gets a model ready to hand over these of its values. */
export type OpenModel = (model: Model, values: readonly string[]) => OpenedModel | Promise<OpenedModel>;

/** What pruning looks at: inputs like those that the model will see, not padded, no labels, and a way to run models on them. */
export interface CalibrationData {
  readonly open: OpenModel;
  readonly samples: readonly Sample[];
  readonly signal?: AbortSignal;
}

/** A model with the values of it that are looked at, one of them at least not an input. */
export interface Watched {
  readonly model: Model;
  readonly values: readonly string[];
  /** Its own inputs, as many as there are samples. Default: the samples. */
  readonly samples?: readonly Sample[];
}

/**
 * Runs models side by side, sample by sample, and hands over the values of all of them, in the order of `watched`.
 * @throws CompilerError `bad-option` without samples or for a value that is not handed over, `aborted`.
 */
export async function runTogether(
  watched: readonly Watched[],
  { open, samples, signal }: CalibrationData,
  visit: (values: readonly (readonly Float32Array[])[]) => void,
): Promise<void> {
  if (samples.length === 0)
    throw new CompilerError('bad-option', 'pruning needs at least one sample', {
      hint: 'a few hundred sentences like those that the model will see are enough',
    });
  const opened: OpenedModel[] = [];
  try {
    for (const { model, values } of watched) {
      const inputs = new Set(model.graph.inputs.map(({ name }) => name));
      const computed = values.filter((value) => !inputs.has(value));
      opened.push(await open(model, computed));
    }
    for (const turn of samples.keys()) {
      if (signal?.aborted === true)
        throw new CompilerError('aborted', 'pruning stopped', { cause: signal.reason });
      const found: Float32Array[][] = [];
      for (const [at, { run }] of opened.entries()) {
        const own = watched[at]!;
        found.push(await collect(run, (own.samples ?? samples)[turn]!, own.values));
      }
      visit(found);
    }
  } finally {
    for (const { close } of opened) close();
  }
}

async function collect(
  run: ActivationRunner,
  sample: Sample,
  values: readonly string[],
): Promise<Float32Array[]> {
  const found = new Map(sample);
  const computed = values.filter((value) => !sample.has(value));
  await run(sample, computed, (value, tensor) => void found.set(value, tensor));
  return values.map((value) => {
    const tensor = found.get(value);
    if (tensor === undefined || !isFloat32(tensor))
      throw new CompilerError('bad-option', `pruning: the runner did not hand over '${value}' as float32`, {
        at: { value },
      });
    return typedData(tensor);
  });
}
