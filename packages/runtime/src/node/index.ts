import type { NodePackageSource } from './pieces-reader.ts';
import { nodePlatform } from './platform.ts';
import { sessionCreator } from '../session/create-session.ts';
import type { Session, SessionOptions } from '../session/session.ts';

export * from '../index.ts';
export type { NodePackageSource };

/** As in browsers, but that files in memory may be made while they are read. */
export const createSession = sessionCreator(nodePlatform) as (
  source: NodePackageSource,
  options?: SessionOptions,
) => Promise<Session>;
