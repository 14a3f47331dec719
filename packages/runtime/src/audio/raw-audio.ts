import { RuntimeError } from '../runtime-error.ts';

/** Sound that is decoded already; what a decoder or a microphone gives. */
export interface RawAudio {
  /** −1…1, one array, or one of the same length for each channel; channels are averaged. */
  readonly samples: Float32Array | readonly Float32Array[];
  /** Samples per second. */
  readonly sampleRate: number;
}

/** What Web Audio knows, and more than any microphone has. */
const MAX_RATE = 768_000;

/** One channel of a sound: the mean of its channels. Throws `bad-input` for what is no sound. */
export function toMono({ samples, sampleRate }: RawAudio): Float32Array {
  checkRate(sampleRate);
  const channels = Array.isArray(samples) ? (samples as readonly Float32Array[]) : [samples as Float32Array];
  const [first] = channels;
  if (!first) throw new RuntimeError('bad-input', 'a sound has at least one channel');
  for (const channel of channels) {
    checkSamples(channel);
    if (channel.length !== first.length) {
      throw new RuntimeError(
        'bad-input',
        `the channels of a sound have the same length, not ${first.length} and ${channel.length} samples`,
      );
    }
  }
  return channels.length === 1 ? first : average(channels, first.length);
}

export function checkRate(sampleRate: number): void {
  if (Number.isInteger(sampleRate) && sampleRate >= 1 && sampleRate <= MAX_RATE) return;
  throw new RuntimeError(
    'bad-input',
    `sampleRate is a whole number of samples per second from 1 to ${MAX_RATE}, not ${sampleRate}`,
  );
}

/** Throws `bad-input` unless these are floats, all of them finite. */
export function checkSamples(samples: Float32Array): void {
  if (!(samples instanceof Float32Array)) {
    throw new RuntimeError(
      'bad-input',
      'samples are a Float32Array of values from −1 to 1; divide 16-bit samples by 32768',
    );
  }
  const wrong = samples.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw new RuntimeError('bad-input', `sample ${wrong} is ${samples[wrong]}`);
}

function average(channels: readonly Float32Array[], length: number): Float32Array {
  return new Float32Array(length).map(
    (_, index) => channels.reduce((sum, channel) => sum + (channel[index] as number), 0) / channels.length,
  );
}
