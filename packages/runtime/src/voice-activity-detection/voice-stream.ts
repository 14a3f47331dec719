import { checkSamples } from '../audio/raw-audio.ts';
import { concat, Resampler } from '../audio/resampler.ts';
import type { AudioManifest, StreamState } from '../format/index.ts';
import { RuntimeError } from '../runtime-error.ts';
import type { Session } from '../session/session.ts';
import { firstOutput } from '../tasks/task-handle.ts';

/** Sound that arrives piece by piece. */
export interface VoiceStream {
  /** Seconds of sound that one probability stands for. */
  readonly chunkSeconds: number;
  /**
   * Takes any number of samples (one channel, −1…1) and gives the probability of speech, 0…1, of every chunk that they
   * complete; none when there are too few. Calls are taken in turn.
   */
  push(samples: Float32Array): Promise<Float32Array>;
  /** Forgets all that was pushed, as if the stream began anew. */
  reset(): void;
}

/** What a stream remembers between chunks. */
interface Memory {
  readonly resampler: Resampler;
  /** Samples at the model's rate that no chunk holds yet. */
  rest: Float32Array;
  /** The end of the chunk before. */
  context: Float32Array;
  states: Record<string, ArrayLike<number>>;
}

/** Runs a model with a memory over a stream. Several can share a session. */
export class ModelStream implements VoiceStream {
  readonly chunkSeconds: number;
  readonly #session: Session;
  readonly #input: string;
  readonly #sampleRate: number;
  readonly #rate: number;
  readonly #samples: number;
  readonly #scale: number;
  readonly #contextSamples: number;
  readonly #states: readonly StreamState[];
  #memory: Memory;
  #last: Promise<unknown> = Promise.resolve();

  /** `input` is the name of the input for sound, `sampleRate` the rate of what will be pushed. */
  constructor(session: Session, manifest: AudioManifest, input: string, sampleRate: number) {
    const { audio, streaming } = manifest;
    this.#session = session;
    this.#input = input;
    this.#sampleRate = sampleRate;
    this.#rate = audio.sampleRate;
    this.#samples = audio.samples;
    this.#scale = audio.scale ?? 1;
    this.#contextSamples = streaming?.context ?? 0;
    this.#states = streaming?.states ?? [];
    this.chunkSeconds = audio.samples / audio.sampleRate;
    this.#memory = this.#begin();
  }

  // Async makes errors rejections.
  async push(samples: Float32Array): Promise<Float32Array> {
    checkSamples(samples);
    return this.#inTurn((memory) => this.#take(memory, memory.resampler.push(samples)));
  }

  /** The end of the sound: what is left, filled up with zeros, is the last chunk. */
  async finish(): Promise<Float32Array> {
    return this.#inTurn(async (memory) => {
      const probabilities = await this.#take(memory, memory.resampler.finish());
      const missing = this.#samples - memory.rest.length;
      if (missing === this.#samples) return probabilities;
      return concat(probabilities, await this.#take(memory, new Float32Array(missing)));
    });
  }

  reset(): void {
    this.#memory = this.#begin();
  }

  #begin(): Memory {
    const zeros = this.#states.map(({ input }) => {
      const shape = this.#session.inputs.find(({ name }) => name === input)?.shape ?? [];
      const length = shape.reduce<number>((n, dim) => n * (typeof dim === 'number' ? dim : 1), 1);
      return [input, new Float32Array(length)] as const;
    });
    return {
      resampler: new Resampler(this.#sampleRate, this.#rate),
      rest: new Float32Array(0),
      context: new Float32Array(this.#contextSamples),
      states: Object.fromEntries(zeros),
    };
  }

  #inTurn(work: (memory: Memory) => Promise<Float32Array>): Promise<Float32Array> {
    const memory = this.#memory;
    const result = this.#last.then(() => work(memory));
    this.#last = result.catch(() => {});
    return result;
  }

  async #take(memory: Memory, samples: Float32Array): Promise<Float32Array> {
    const all = concat(memory.rest, samples);
    const probabilities = new Float32Array(Math.floor(all.length / this.#samples));
    for (let index = 0; index < probabilities.length; index++) {
      const start = index * this.#samples;
      probabilities[index] = await this.#run(memory, all.subarray(start, start + this.#samples));
    }
    memory.rest = all.slice(probabilities.length * this.#samples);
    return probabilities;
  }

  async #run(memory: Memory, chunk: Float32Array): Promise<number> {
    const scaled = this.#scale === 1 ? chunk : chunk.map((value) => value * this.#scale);
    const sound = concat(memory.context, scaled);
    const outputs = await this.#session.run({ ...memory.states, [this.#input]: sound });
    const [probability] = firstOutput(this.#session, outputs).data;
    memory.context = sound.slice(sound.length - this.#contextSamples);
    memory.states = Object.fromEntries(
      this.#states.map(({ input, output }) => [input, outputs[output]?.data ?? missing(output)]),
    );
    return probability ?? Number.NaN;
  }
}

function missing(output: string): never {
  throw new RuntimeError('bad-package', `streaming.states: the model has no output "${output}"`);
}
