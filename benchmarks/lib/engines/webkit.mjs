// WebKitGTK's MiniBrowser, which Debian's webkit2gtk-driver starts. It has no headless mode.
import { existsSync } from 'node:fs';
import process from 'node:process';
import { importPeer } from '../peers.mjs';
import { TIMEOUT_MS } from './timeout.mjs';

const DRIVER = '/usr/bin/WebKitWebDriver';
const ARGUMENTS = ['--automation', '--enable-media-stream=true', '--enable-mock-capture-devices=true'];

/** MiniBrowser isolates pages but, unlike Safari, keeps shared memory from them. */
const SHARED_MEMORY = { JSC_useSharedArrayBuffer: '1' };

/** JavaScriptCore's options. Code starts in BBQ; for OMG everything goes on to it at once. @type {Readonly<Record<string, Readonly<Record<string, string>>>>} */
const TIERS = {
  BBQ: { JSC_useOMGJIT: '0' },
  OMG: {
    JSC_thresholdForOMGOptimizeAfterWarmUp: '0',
    JSC_thresholdForOMGOptimizeSoon: '0',
    JSC_useConcurrentJIT: '0',
  },
};

/** Gives a promise's end to the driver: WebDriver itself tells a page's errors by name only. */
const SCRIPT = (/** @type {string} */ run) => `
  const done = arguments[1];
  (async () => (${run})(arguments[0]))().then((value) => done({ value }), (error) => done({ error: String(error) }));`;

/** @type {import('./index.mjs').BrowserEngine} */
export const webkitEngine = {
  name: 'WebKit',
  tiers: Object.keys(TIERS),
  missing() {
    if (!existsSync(DRIVER)) return 'install webkit2gtk-driver';
    return process.env['DISPLAY'] ? undefined : 'it needs a display: xvfb-run -a node benchmarks/run.mjs …';
  },
  async open(tier = '') {
    const { Builder, Capabilities } = await importPeer('selenium-webdriver');
    const { DriverService } = await importPeer('selenium-webdriver/remote/index.js');
    const service = new DriverService.Builder(DRIVER)
      .setLoopback(true)
      .setEnvironment({ ...process.env, ...SHARED_MEMORY, ...TIERS[tier] })
      .build();
    const driver = await new Builder()
      .usingServer(await service.start())
      .withCapabilities(
        new Capabilities({ browserName: 'MiniBrowser', 'webkitgtk:browserOptions': { args: ARGUMENTS } }),
      )
      .build();
    await driver.manage().setTimeouts({ script: TIMEOUT_MS, pageLoad: TIMEOUT_MS });
    return {
      version: (await driver.getCapabilities()).get('browserVersion'),
      page: {
        goto: (url) => driver.get(url),
        async evaluate(run, given) {
          const { value, error } = await driver.executeAsyncScript(SCRIPT(String(run)), given);
          if (error) throw new Error(error);
          return value;
        },
      },
      close: async () => {
        await driver.quit();
        await service.kill();
      },
    };
  },
};
