import type { EdgeModel } from '../format/index.ts';
import { RuntimeError } from '../runtime-error.ts';
import type { Feeds, Outputs } from '../session/session.ts';
import type { Mode, Rung } from './modes.ts';
import type { ProgramExports } from './program.ts';
import { FIXED, readOutput, sequenceOf, writeInputs } from './tensor-io.ts';
import type { ThreadPool } from './thread-pool.ts';

const WARM_UP_SEQUENCE = 16;

/** What `loadEngine` puts together. */
export interface EngineParts {
  readonly model: EdgeModel;
  readonly rung: Rung;
  readonly mode: Mode;
  /** Threads of the pool, this one included. */
  readonly threads: number;
  /** Runs with fewer multiply-accumulates stay on this thread. */
  readonly minThreadedMacs: number;
  readonly program: ProgramExports;
  readonly memory: ArrayBufferLike;
  readonly pool: ThreadPool | undefined;
}

/** A program on its memory, ready to run on the calling thread. */
export class Engine {
  readonly #parts: EngineParts;
  #failed = false;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  get info(): { rung: Rung; mode: Mode; threads: number; memoryBytes: number } {
    const { rung, mode, threads, memory } = this.#parts;
    return { rung, mode, threads, memoryBytes: memory.byteLength };
  }

  /** @param outputViews views on the memory are enough, which last until the next run */
  run(feeds: Feeds, outputViews?: boolean): Outputs {
    const { model, memory } = this.#parts;
    const sequence = sequenceOf(model, feeds);
    writeInputs(model, feeds, sequence, memory);
    this.#forward(sequence);
    return Object.fromEntries(
      model.outputs.map((output) => [output.name, readOutput(output, sequence, memory, outputViews)]),
    );
  }

  /** One short run whose outputs nobody sees. */
  warmUp(): void {
    const { inputs, dims } = this.#parts.model;
    const sequence = Math.min(WARM_UP_SEQUENCE, (dims.sequence ?? FIXED).max);
    const feeds = inputs.map(({ name, shape, range }) => {
      const length = shape.reduce<number>((n, dim) => n * (dim === 'sequence' ? sequence : dim), 1);
      return [name, new Float32Array(length).fill(Math.ceil(Math.max(0, range?.[0] ?? 0)))] as const;
    });
    this.run(Object.fromEntries(feeds));
  }

  dispose(): void {
    this.#parts.pool?.terminate();
  }

  #forward(sequence: number): void {
    if (this.#failed) throw new RuntimeError('run-failed', 'an earlier run failed; load the package again');
    const { model, program, threads, minThreadedMacs } = this.#parts;
    const pool = (model.macsPerToken ?? 0) * sequence >= minThreadedMacs ? this.#parts.pool : undefined;
    try {
      if (pool) pool.run(sequence, () => program.run(sequence, 0, threads));
      else program.run(sequence, 0, 1);
    } catch (cause) {
      this.#failed = true;
      throw new RuntimeError('run-failed', `the program failed: ${(cause as Error).message}`, { cause });
    }
  }
}
