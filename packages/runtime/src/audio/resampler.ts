/** Zero crossings of the sinc on each side. */
const LOBES = 6;
/** Cut-off as a share of the lower rate's half; the rest is where the filter falls. */
const ROLLOFF = 0.99;

/**
 * Changes the sample rate by band-limited interpolation: output n at time t is Σ x[k]·h(k − t), h a sinc of the lower
 * rate under a Hann window of six zero crossings (J. O. Smith, "Digital Audio Resampling"; the formula and constants of
 * torchaudio's `sinc_interp_hann`). Sound before the start and after the end is silence. Pieces that are pushed one
 * after the other give the same bits as all at once.
 */
export class Resampler {
  readonly #from: number;
  readonly #to: number;
  /** Input samples on each side that an output needs. */
  readonly #reach: number;
  /** Weights of the outputs at each fraction of an input sample, 2·reach + 1 for each, from −reach on. */
  readonly #weights: Float64Array;
  /** Samples that later outputs need, from input sample `#start` on. */
  #tail = new Float32Array(0);
  #start = 0;
  /** Outputs given so far. */
  #given = 0;

  /** Rates are whole numbers of samples per second. */
  constructor(from: number, to: number) {
    const divisor = greatestCommonDivisor(from, to);
    this.#from = from / divisor;
    this.#to = to / divisor;
    const cutoff = Math.min(1, to / from) * ROLLOFF;
    this.#reach = Math.ceil(LOBES / cutoff) + 1;
    this.#weights = weightsFor(this.#to, this.#reach, cutoff);
  }

  /** The outputs that these samples complete. */
  push(samples: Float32Array): Float32Array {
    if (this.#from === this.#to) return samples;
    this.#tail = concat(this.#tail, samples);
    const received = this.#start + this.#tail.length;
    // Output n needs input ⌊n·from/to⌋ + reach.
    const ready = Math.ceil(((received - this.#reach) * this.#to) / this.#from);
    return this.#take(ready);
  }

  /** The outputs that are left when nothing follows. ⌈inputs·to/from⌉ in all. */
  finish(): Float32Array {
    if (this.#from === this.#to) return new Float32Array(0);
    return this.#take(Math.ceil(((this.#start + this.#tail.length) * this.#to) / this.#from));
  }

  #take(end: number): Float32Array {
    const outputs = new Float32Array(Math.max(0, end - this.#given));
    for (let index = 0; index < outputs.length; index++) outputs[index] = this.#at(this.#given + index);
    this.#given += outputs.length;
    const needed = Math.floor((this.#given * this.#from) / this.#to) - this.#reach;
    if (needed > this.#start) {
      this.#tail = this.#tail.slice(needed - this.#start);
      this.#start = needed;
    }
    return outputs;
  }

  #at(output: number): number {
    const scaled = output * this.#from;
    const whole = Math.floor(scaled / this.#to);
    const taps = 2 * this.#reach + 1;
    const row = (scaled - whole * this.#to) * taps;
    const first = whole - this.#reach - this.#start;
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) {
      sum += (this.#weights[row + tap] as number) * (this.#tail[first + tap] ?? 0);
    }
    return sum;
  }
}

/** All of a sound at another rate. */
export function resample(samples: Float32Array, from: number, to: number): Float32Array {
  const resampler = new Resampler(from, to);
  const outputs = resampler.push(samples);
  return concat(outputs, resampler.finish());
}

/** One piece of sound behind another. */
export function concat(a: Float32Array, b: Float32Array): Float32Array<ArrayBuffer> {
  const both = new Float32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function weightsFor(fractions: number, reach: number, cutoff: number): Float64Array {
  const taps = 2 * reach + 1;
  return Float64Array.from({ length: fractions * taps }, (_, index) => {
    const fraction = Math.floor(index / taps) / fractions;
    const distance = ((index % taps) - reach - fraction) * cutoff;
    if (Math.abs(distance) >= LOBES) return 0;
    const window = Math.cos((distance * Math.PI) / (2 * LOBES)) ** 2;
    return cutoff * window * sinc(distance);
  });
}

function sinc(x: number): number {
  if (x === 0) return 1;
  const angle = x * Math.PI;
  return Math.sin(angle) / angle;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
