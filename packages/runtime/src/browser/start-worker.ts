/** `worker.js` lies beside the bundle that this code becomes part of; bundlers know this exact expression. */
export function startWorker(): Worker {
  return new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
}
