export { createEdgeSession } from '../session/edge-session.ts';
export { enginePlatform } from './engine-platform.ts';
