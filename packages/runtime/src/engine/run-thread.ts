/** What a pool thread starts with. */
export interface ThreadStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** i32 cells: see `CONTROL`. */
  readonly control: Int32Array<SharedArrayBuffer>;
  readonly mode: number;
  readonly thread: number;
  readonly threads: number;
}

/**
 * The control cells that the pool shares with its threads: 0 counts runs and is what threads sleep on, 1 is the
 * sequence, 2 the threads still at work, 3 becomes 1 when a thread trapped.
 */
export const CONTROL = { run: 0, sequence: 1, pending: 2, failed: 3, cells: 4 } as const;

/**
 * The life of a pool thread: an instance of its own on the shared memory, then asleep until the next run. Never
 * returns. Self-contained on purpose, without imports or inner functions: the Node platform starts it from its text.
 */
export function runThread(start: ThreadStart, onReady: () => void): void {
  const { module, memory, control, mode, thread, threads } = start;
  const program = new WebAssembly.Instance(module, { env: { memory } }).exports as {
    init(mode: number): void;
    run(sequence: number, thread: number, threads: number): void;
  };
  program.init(mode);
  // The cell as it was before anyone could start a run: the pool waits for `onReady`.
  let seen = Atomics.load(control, 0);
  onReady();
  for (;;) {
    Atomics.wait(control, 0, seen);
    const current = Atomics.load(control, 0);
    if (current === seen) continue;
    seen = current;
    try {
      program.run(Atomics.load(control, 1), thread, threads);
    } catch {
      Atomics.store(control, 3, 1);
    }
    if (Atomics.sub(control, 2, 1) === 1) Atomics.notify(control, 2);
  }
}
