import { CompilerError } from '../diagnostics/index.ts';
import { elementCount, typedData, type DenseTensor, type Model, type Tensor } from '../ir/index.ts';
import type { ValueRange } from './activation-grid.ts';
import { minMaxObserver, type Observer, type ObserverFactory } from './observer.ts';

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

/**
 * Ranges of the inputs of all `Linear` layers, by value name, for `quantizeLinears({ activations: 'static' })`.
 * Memory does not grow with the number of samples. Samples must not be padded: padding would count as data.
 * @throws CompilerError `bad-option` for no samples or a value that the runner does not hand over, `bad-file` for NaN or
 * infinite activations, `aborted`.
 */
export async function calibrate(
  model: Model,
  run: ActivationRunner,
  samples: Samples,
  options: CalibrateOptions = {},
): Promise<Map<string, ValueRange>> {
  const observers = await observe(model, run, samples, options.observer ?? minMaxObserver, options.signal);
  return new Map([...observers].map(([value, observer]) => [value, observer.range()]));
}

/**
 * Mean square of each feature of the inputs of all `Linear` layers, by value name: the `importance` of weight rows.
 * Memory and errors as in `calibrate`.
 */
export async function measureImportance(
  model: Model,
  run: ActivationRunner,
  samples: Samples,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Map<string, Float32Array>> {
  const moments = await observe(model, run, samples, () => new SecondMoments(), options.signal);
  return new Map([...moments].map(([value, moment]) => [value, moment.mean()]));
}

/** Names of the values that feed `Linear` layers, each once. */
export function linearInputs({ graph }: Model): string[] {
  const linears = graph.nodes.filter(({ domain, opType }) => domain === 'edgewise' && opType === 'Linear');
  return [...new Set(linears.map(({ inputs: [x = ''] }) => x))];
}

interface Sink {
  observe(values: Float32Array, width: number): void;
}

async function observe<S extends Sink | Observer>(
  model: Model,
  run: ActivationRunner,
  samples: Samples,
  create: () => S,
  signal: AbortSignal | undefined,
): Promise<Map<string, S>> {
  const want = linearInputs(model);
  const sinks = new Map(want.map((value) => [value, create()]));
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
      hint: 'a few hundred sentences like those that the model will see are enough',
    });
  return sinks;
}

function feed(sink: Sink | undefined, value: string, tensor: Tensor, sample: number): void {
  if (tensor.kind !== 'dense' || !isFloat32(tensor))
    throw new CompilerError('unsupported', `calibration: '${value}' is ${tensor.dtype}, not float32`, {
      at: { value },
    });
  try {
    sink?.observe(typedData(tensor), tensor.dims.at(-1) ?? elementCount(tensor.dims));
  } catch (error) {
    if (!(error instanceof CompilerError)) throw error;
    throw new CompilerError(error.code, `sample ${sample}, value '${value}': ${error.message}`, {
      at: { value },
      cause: error,
      ...(error.hint !== undefined && { hint: error.hint }),
    });
  }
}

class SecondMoments implements Sink {
  #sums = new Float64Array();
  #rows = 0;

  observe(values: Float32Array, width: number): void {
    if (this.#sums.length === 0) this.#sums = new Float64Array(width);
    const sums = this.#sums;
    for (let row = 0; row + width <= values.length; row += width, this.#rows++)
      for (let i = 0; i < width; i++) sums[i]! += values[row + i]! ** 2;
  }

  mean(): Float32Array {
    return Float32Array.from(this.#sums, (sum) => sum / this.#rows);
  }
}

function isFloat32(tensor: DenseTensor): tensor is DenseTensor & { dtype: 'float32' } {
  return tensor.dtype === 'float32';
}
