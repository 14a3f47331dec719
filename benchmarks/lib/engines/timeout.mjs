/** For anything that a page does: whole measurements run in one call. */
export const TIMEOUT_MS = 900_000;
