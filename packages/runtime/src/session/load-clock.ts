import type { LoadTimings } from './session.ts';

/** Notes when the steps of loading end. */
export interface LoadClock {
  readonly manifest: () => void;
  readonly files: () => void;
  /** Ends the last step; returns all. */
  readonly ready: () => LoadTimings;
}

export function loadClock(): LoadClock {
  const start = performance.now();
  const elapsed = (): number => performance.now() - start;
  let manifestMs = 0;
  let filesMs = 0;
  return {
    manifest: () => void (manifestMs = elapsed()),
    files: () => void (filesMs = elapsed()),
    ready: () => ({ manifestMs, filesMs, readyMs: elapsed() }),
  };
}
