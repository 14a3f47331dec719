/** Lets Ctrl+C and the progress line through: the compiler never waits by itself. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
