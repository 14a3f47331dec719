import { findChromium, installHint } from '../../../packages/test-utils/dist/find-chromium.js';
import { launch } from '../browser.mjs';

const FAKE_CAMERA = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];

/** V8's flag for each tier alone. @type {Readonly<Record<string, string>>} */
const TIERS = { Liftoff: '--liftoff-only', TurboFan: '--no-liftoff' };

/** @type {import('./index.mjs').BrowserEngine} */
export const chromiumEngine = {
  name: 'Chromium',
  tiers: Object.keys(TIERS),
  missing: () => (findChromium() ? undefined : installHint()),
  async open(tier = '') {
    const flag = TIERS[tier];
    const browser = await launch([...FAKE_CAMERA, ...(flag ? [`--js-flags=${flag}`] : [])]);
    return { version: browser.version(), page: await browser.newPage(), close: () => browser.close() };
  },
};
