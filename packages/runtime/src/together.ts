/**
 * Waits for all that `start` begins. When one fails or the outer signal aborts, aborts the others, waits until they
 * have stopped, and throws what came first.
 */
export async function together<T extends readonly unknown[]>(
  outer: AbortSignal | undefined,
  start: (signal: AbortSignal) => { readonly [K in keyof T]: Promise<T[K]> },
): Promise<T> {
  outer?.throwIfAborted();
  const controller = new AbortController();
  const forward = (): void => controller.abort(outer?.reason);
  outer?.addEventListener('abort', forward);
  const running = start(controller.signal) as readonly Promise<unknown>[];
  try {
    return (await Promise.all(running)) as unknown as T;
  } catch (error) {
    controller.abort(error);
    await Promise.allSettled(running);
    throw error;
  } finally {
    outer?.removeEventListener('abort', forward);
  }
}
