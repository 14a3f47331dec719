// A stock Firefox speaks WebDriver BiDi itself; Playwright wants its own build.
import { existsSync } from 'node:fs';
import process from 'node:process';
import { importPeer } from '../peers.mjs';
import { TIMEOUT_MS } from './timeout.mjs';

const executable = [process.env['EDGEWISE_FIREFOX'], '/usr/bin/firefox-esr', '/usr/bin/firefox'].find(
  (path) => path && existsSync(path),
);

/** A moving picture instead of a camera, allowed without asking. */
const FAKE_CAMERA = { 'media.navigator.streams.fake': true, 'media.navigator.permission.disabled': true };

/** The preference of the other tier. @type {Readonly<Record<string, string>>} */
const OTHER_TIERS = {
  Baseline: 'javascript.options.wasm_optimizingjit',
  Ion: 'javascript.options.wasm_baselinejit',
};

/** @type {import('./index.mjs').BrowserEngine} */
export const firefoxEngine = {
  name: 'Firefox',
  tiers: Object.keys(OTHER_TIERS),
  missing: () => (executable ? undefined : 'install firefox-esr or set EDGEWISE_FIREFOX to its path'),
  async open(tier = '') {
    const { launch } = await importPeer('puppeteer-core');
    const other = OTHER_TIERS[tier];
    const browser = await launch({
      browser: 'firefox',
      executablePath: executable,
      protocolTimeout: TIMEOUT_MS,
      extraPrefsFirefox: { ...FAKE_CAMERA, ...(other && { [other]: false }) },
    });
    const version = (await browser.version()).replace(/^\w+\//, '');
    return { version, page: await browser.newPage(), close: () => browser.close() };
  },
};
