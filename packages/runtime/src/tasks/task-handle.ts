import type { Manifest } from '../format/index.ts';
import { RuntimeError } from '../runtime-error.ts';
import type { Outputs, Session, SessionInfo, Tensor } from '../session/session.ts';

/** What every loaded task has beside being callable. */
export interface TaskHandle {
  readonly manifest: Manifest;
  readonly session: Session;
  readonly info: SessionInfo;
  /** Stops workers and frees the memory. */
  dispose(): void;
}

export function checkTask(manifest: Manifest, task: string): void {
  if (manifest.task === task) return;
  throw new RuntimeError('bad-package', `this package is for ${manifest.task}, not for ${task}`);
}

/** One input gives one result, an array an array of results, in order. */
export async function mapInputs<I, T>(
  inputs: I | readonly I[],
  run: (input: I) => Promise<T>,
): Promise<T | T[]> {
  if (!isList(inputs)) return run(inputs);
  const results: T[] = [];
  for (const input of inputs) results.push(await run(input));
  return results;
}

function isList<I>(inputs: I | readonly I[]): inputs is readonly I[] {
  return Array.isArray(inputs);
}

export function firstOutput(session: Session, outputs: Outputs): Tensor {
  const output = outputs[session.outputs[0]?.name ?? ''];
  if (!output) throw new RuntimeError('bad-package', 'the model has no output');
  return output;
}
