import { CompilerError } from '../../diagnostics/index.ts';
import { isFloat32, typedData, type Model, type Tensor } from '../../ir/index.ts';
import type { ValueRange } from '../grids/activation-grid.ts';
import { FeatureExtremes } from './feature-extremes.ts';
import { minMaxObserver, type Observer, type ObserverFactory } from '../ranges/observer.ts';
import { SecondMoments } from './second-moments.ts';

/** One run's inputs by name. */
export type Sample = ReadonlyMap<string, Tensor>;

/**
 * Runs the float model on a sample and hands over each wanted value once, in any order, all at the end or one layer
 * at a time. `evaluateModel` does:
 * `(sample, want, emit) => evaluateModel(model, sample, { want }).forEach((tensor, name) => emit(name, tensor))`.
 */
export type ActivationRunner = (
  sample: Sample,
  want: readonly string[],
  emit: (value: string, tensor: Tensor) => void,
) => void | Promise<void>;

export type Samples = Iterable<Sample> | AsyncIterable<Sample>;

export interface CalibrateOptions {
  /** How each value's range is found. Default `minMaxObserver`. */
  readonly observer?: ObserverFactory;
  readonly signal?: AbortSignal;
}

export interface ObserveActivationsOptions extends CalibrateOptions {
  /** Also find the extremes of the features, for `smoothLinears`. Default false. */
  readonly extremes?: boolean;
}

/** What the samples showed of each value that feeds a `Linear` layer, by value name. */
export interface ActivationStatistics {
  /** What `quantizeLinears({ activations: 'static' })` takes. */
  readonly ranges: Map<string, ValueRange>;
  /** Of the features: how much errors of the weights matter, alone and together. */
  readonly moments: Map<string, SecondMoments>;
  /** Of the features, where they were asked for: what `smoothLinears` evens out. */
  readonly extremes?: Map<string, FeatureExtremes>;
}

/**
 * Runs the samples once and gives ranges and second moments together. Memory does not grow with the number of samples.
 * Samples must not be padded: padding would count as data.
 * @throws CompilerError `bad-option` for no samples or a value that the runner does not hand over, `bad-file` for NaN or
 * infinite activations, `aborted`.
 */
export async function observeActivations(
  model: Model,
  run: ActivationRunner,
  samples: Samples,
  options: ObserveActivationsOptions = {},
): Promise<ActivationStatistics> {
  const { observer = minMaxObserver, signal, extremes: withExtremes = false } = options;
  const ranges = new Map<string, ValueRange>();
  const moments = new Map<string, SecondMoments>();
  const extremes = new Map<string, FeatureExtremes>();
  const want = linearInputs(model);
  const create = (): FeatureStatistics => new FeatureStatistics(observer(), withExtremes);
  for (const [value, sink] of await observeValues(want, run, samples, create, signal)) {
    ranges.set(value, sink.observer.range());
    if (sink.moments !== undefined) moments.set(value, sink.moments);
    if (sink.extremes !== undefined) extremes.set(value, sink.extremes);
  }
  return { ranges, moments, ...(withExtremes && { extremes }) };
}

/** The ranges of `observeActivations` alone, without the work for the rest. */
export async function calibrate(
  model: Model,
  run: ActivationRunner,
  samples: Samples,
  options: CalibrateOptions = {},
): Promise<Map<string, ValueRange>> {
  const { observer = minMaxObserver, signal } = options;
  const observers = await observeValues(linearInputs(model), run, samples, observer, signal);
  return new Map([...observers].map(([value, each]) => [value, each.range()]));
}

/** Names of the values that feed `Linear` layers, each once. */
export function linearInputs({ graph }: Model): string[] {
  const linears = graph.nodes.filter(({ domain, opType }) => domain === 'edgewise' && opType === 'Linear');
  return [...new Set(linears.map(({ inputs: [x = ''] }) => x))];
}

/** Takes in one value of one sample. */
export interface ValueSink {
  observe(values: Float32Array, dims: readonly number[]): void;
}

/** Runs the samples and hands each wanted value to its own sink; errors are those of `observeActivations`. */
export async function observeValues<S extends ValueSink>(
  want: readonly string[],
  run: ActivationRunner,
  samples: Samples,
  create: (value: string) => S,
  signal?: AbortSignal,
): Promise<Map<string, S>> {
  const sinks = new Map(want.map((value) => [value, create(value)]));
  let count = 0;
  for await (const sample of samples) {
    if (signal?.aborted === true)
      throw new CompilerError('aborted', `calibration stopped after ${count} samples`, {
        cause: signal.reason,
      });
    const missing = new Set(want);
    await run(sample, want, (value, tensor) => {
      if (missing.delete(value)) feed(sinks.get(value), value, tensor, count);
    });
    for (const value of missing)
      throw new CompilerError('bad-option', `calibration: the runner did not hand over '${value}'`, {
        at: { value },
        hint: 'emit every value of the list it gets',
      });
    count++;
  }
  if (count === 0)
    throw new CompilerError('bad-option', 'calibration needs at least one sample', {
      hint: 'some dozens of images, or a few hundred sentences, like those that the model will see are enough',
    });
  return sinks;
}

function feed(sink: ValueSink | undefined, value: string, tensor: Tensor, sample: number): void {
  if (!isFloat32(tensor))
    throw new CompilerError('unsupported', `calibration: '${value}' is ${tensor.dtype}, not float32`, {
      at: { value },
    });
  try {
    sink?.observe(typedData(tensor), tensor.dims);
  } catch (error) {
    if (!(error instanceof CompilerError)) throw error;
    throw new CompilerError(error.code, `sample ${sample}, value '${value}': ${error.message}`, {
      at: { value },
      cause: error,
      ...(error.hint !== undefined && { hint: error.hint }),
    });
  }
}

class FeatureStatistics {
  readonly observer: Observer;
  moments: SecondMoments | undefined;
  extremes: FeatureExtremes | undefined;
  readonly #withExtremes: boolean;

  constructor(observer: Observer, withExtremes: boolean) {
    this.observer = observer;
    this.#withExtremes = withExtremes;
  }

  observe(values: Float32Array, dims: readonly number[]): void {
    this.observer.observe(values);
    const width = dims.at(-1) ?? values.length;
    this.moments ??= new SecondMoments(width);
    this.moments.add(values);
    if (!this.#withExtremes) return;
    this.extremes ??= new FeatureExtremes(width);
    this.extremes.add(values);
  }
}
