import type { Mode, Rung } from '../engine/modes.ts';

export interface TensorInfo {
  readonly name: string;
  readonly dtype: 'int32' | 'float32';
  /** A number, or the name of a dimension that changes from run to run. */
  readonly shape: readonly (number | string)[];
  /** Whether `run` needs it; the others have a default. Always false for outputs. */
  readonly required: boolean;
}

/** Values in row-major order. */
export interface Tensor {
  readonly dtype: 'int32' | 'float32';
  readonly shape: readonly number[];
  readonly data: Int32Array | Float32Array;
}

/** Input values by name, row-major; the varying dimension follows from their number. */
export type Feeds = Readonly<Record<string, ArrayLike<number>>>;
export type Outputs = Readonly<Record<string, Tensor>>;

/** Milliseconds from the start of loading to the end of each step. */
export interface LoadTimings {
  readonly manifestMs: number;
  /** Weights in memory and program compiled. */
  readonly filesMs: number;
  /** Probe, thread start, warm-up: ready to run. */
  readonly readyMs: number;
}

export interface SessionInfo {
  /** Which program runs. */
  readonly rung: Rung | 'onnxruntime';
  /** How integer products are computed; undefined with onnxruntime. */
  readonly mode?: Mode;
  /** Threads that a large enough input runs on; 0 when onnxruntime chooses. */
  readonly threads: number;
  /** Whether the model runs in a worker, off the calling thread. */
  readonly worker: boolean;
  /** The engine's memory: weights, arena and scratch. 0 with onnxruntime, which does not tell. */
  readonly memoryBytes: number;
  readonly timings: LoadTimings;
}

/** A loaded model. */
export interface Session {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  readonly info: SessionInfo;
  /**
   * Runs one example (batch 1). Outputs are copies that belong to the caller (but see `outputViews`). Calls made while one runs wait their
   * turn. Rejects with `bad-input`; after `run-failed` the session is unusable.
   */
  run(feeds: Feeds): Promise<Outputs>;
  /** Stops workers and frees the memory; runs that have not finished reject with `disposed`. */
  dispose(): void;
}

export interface SessionOptions {
  /** Stops loading; `createSession` rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /**
   * `auto`: several threads where memory can be shared (cross-origin isolated pages, Node) and the input is large
   * enough to gain. A number: exactly so many for every run, as far as package and platform allow. Default `auto`.
   */
  readonly threads?: 'auto' | number;
  /** Browsers: run in a dedicated worker, so that the page stays responsive. Default true. Node: ignored. */
  readonly worker?: boolean;
  /** Check the SHA-256 of every file, not only of the program; holds the weights twice while loading. Default false. */
  readonly verify?: boolean;
  /** One short run before loading ends, so that the first real one is fast. Default true. Not with onnxruntime. */
  readonly warmUp?: boolean;
  /**
   * The onnxruntime module for packages that need it, for pages with a bundler: `import * as onnxruntime from
   * 'onnxruntime-web'`. Default: imported by name when a package asks for it.
   */
  readonly onnxruntime?: object;
  /**
   * Hand over outputs as views on the engine's memory, which last until the next run, instead of copies. Not with onnxruntime or in a worker.
   * Default false.
   */
  readonly outputViews?: boolean;
  /** For tests and measurements: the program to use instead of the best one. */
  readonly rung?: Rung;
  /** For tests and measurements: the mode to use instead of the probed one. A wrong one gives wrong numbers. */
  readonly mode?: Mode;
}
