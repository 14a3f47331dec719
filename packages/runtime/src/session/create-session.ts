import type { PackageSource } from '../package/package-reader.ts';
import type { Platform } from './platform.ts';
import { loadPackage } from './load-package.ts';
import type { Session, SessionOptions } from './session.ts';

/**
 * Loads a package's model.
 *
 *     const session = await createSession('/models/sentiment');
 *     const { logits } = await session.run({ input_ids: [101, 2307, 102] });
 *
 * Rejects with `RuntimeError`, or with the signal's reason when it aborts.
 */
export type CreateSession = (source: PackageSource, options?: SessionOptions) => Promise<Session>;

export function sessionCreator(platform: Platform): CreateSession {
  return async (source, options = {}) => {
    const { session } = await loadPackage(platform, source, options, {
      check: () => {},
      load: () => Promise.resolve(),
    });
    return session;
  };
}
