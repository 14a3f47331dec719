import { RuntimeError } from '../runtime-error.ts';
import { CONTROL, type ThreadStart } from './run-thread.ts';

export interface Thread {
  terminate(): void;
}

/** Starts one thread; resolves when it is ready for runs. */
export type StartThread = (start: ThreadStart) => Promise<Thread>;

/** Threads 1…n-1 of a program; the calling thread is thread 0. Between runs they sleep. */
export class ThreadPool {
  readonly #control: Int32Array<SharedArrayBuffer>;
  readonly #threads: readonly Thread[];

  private constructor(control: Int32Array<SharedArrayBuffer>, threads: readonly Thread[]) {
    this.#control = control;
    this.#threads = threads;
  }

  static async start(
    start: Omit<ThreadStart, 'control' | 'thread'>,
    startThread: StartThread,
  ): Promise<ThreadPool> {
    const control = new Int32Array(new SharedArrayBuffer(CONTROL.cells * 4));
    const starting = Array.from({ length: start.threads - 1 }, (_, index) =>
      startThread({ ...start, control, thread: index + 1 }),
    );
    const results = await Promise.allSettled(starting);
    const threads = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const pool = new ThreadPool(control, threads);
    const failed = results.find((result) => result.status === 'rejected');
    if (!failed) return pool;
    pool.terminate();
    throw failed.reason;
  }

  /** Wakes the threads, does thread 0's part through `own` and waits for the others. */
  run(sequence: number, own: () => void): void {
    const control = this.#control;
    Atomics.store(control, CONTROL.sequence, sequence);
    Atomics.store(control, CONTROL.pending, this.#threads.length);
    Atomics.add(control, CONTROL.run, 1);
    Atomics.notify(control, CONTROL.run);
    own();
    for (;;) {
      const pending = Atomics.load(control, CONTROL.pending);
      if (pending === 0) break;
      Atomics.wait(control, CONTROL.pending, pending);
    }
    if (Atomics.load(control, CONTROL.failed) !== 0) throw new RuntimeError('run-failed', 'a thread trapped');
  }

  terminate(): void {
    for (const thread of this.#threads) thread.terminate();
  }
}
