import { nodePlatform } from './platform.ts';
import { sessionCreator, type CreateSession } from '../session/create-session.ts';

export * from '../index.ts';
export const createSession: CreateSession = sessionCreator(nodePlatform);
