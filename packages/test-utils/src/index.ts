export { describeWithAssets, hasSharedAssets, itWithAssets, sharedAsset } from './assets.ts';
export { describeWithChromium, launchChromium, type LaunchOptions } from './chromium.ts';
export { findChromium } from './find-chromium.ts';
export { repoRoot } from './repo-root.ts';
export { seededRandom, type SeededRandom } from './seeded-random.ts';
export { serveStatic, type StaticServer, type StaticServerOptions } from './static-server.ts';
export { expectTensorClose, worstDifference, type Tolerance, type WorstDifference } from './tensor-close.ts';
