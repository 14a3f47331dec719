import type { Model } from '../ir/index.ts';
import type { ValueRange } from './activation-grid.ts';
import { observeValues, type ActivationRunner, type CalibrateOptions, type Samples } from './calibrate.ts';
import { planConvNet } from './conv-net-plan.ts';
import { minMaxObserver, type Observer } from './observer.ts';

/** What the samples showed of each value that `quantizeConvNet` may quantize, by value name. */
export interface ConvNetStatistics {
  readonly ranges: ReadonlyMap<string, ValueRange>;
  /** Mean of each channel (axis 1), for the correction of biases. */
  readonly means: ReadonlyMap<string, Float64Array>;
}

/** Names of the values that `observeConvNet` watches: what a runner has to hand over. */
export function convNetValues(model: Model): readonly string[] {
  return planConvNet(model, () => false).values;
}

/**
 * Runs the samples through a compact graph (after `separateActivations`) once. Memory does not grow with their number.
 * @throws CompilerError as `observeActivations`.
 */
export async function observeConvNet(
  model: Model,
  run: ActivationRunner,
  samples: Samples,
  { observer = minMaxObserver, signal }: CalibrateOptions = {},
): Promise<ConvNetStatistics> {
  const sinks = await observeValues(
    convNetValues(model),
    run,
    samples,
    () => new ChannelStatistics(observer()),
    signal,
  );
  return {
    ranges: new Map([...sinks].map(([value, { observer: seen }]) => [value, seen.range()])),
    means: new Map([...sinks].map(([value, sink]) => [value, sink.means()])),
  };
}

class ChannelStatistics {
  readonly observer: Observer;
  #sums = new Float64Array();
  #count = 0;

  constructor(observer: Observer) {
    this.observer = observer;
  }

  observe(values: Float32Array, dims: readonly number[]): void {
    this.observer.observe(values);
    const channels = dims[1] ?? 1;
    if (this.#sums.length === 0) this.#sums = new Float64Array(channels);
    const area = dims.slice(2).reduce((product, dim) => product * dim, 1);
    for (let i = 0; i < values.length; i++) this.#sums[Math.floor(i / area) % channels]! += values[i]!;
    this.#count += values.length / channels;
  }

  means(): Float64Array {
    return this.#sums.map((sum) => sum / Math.max(1, this.#count));
  }
}
