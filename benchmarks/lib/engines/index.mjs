// Browsers of three engines behind one small page, each by a client that others maintain.
import { chromiumEngine } from './chromium.mjs';
import { firefoxEngine } from './firefox.mjs';
import { webkitEngine } from './webkit.mjs';

/**
 * @typedef {import('../page.mjs').Evaluator & { goto: (url: string) => Promise<unknown> }} EnginePage
 * @typedef {{ version: string, page: EnginePage, close: () => Promise<unknown> }} EngineBrowser
 * @typedef {object} BrowserEngine
 * @property {string} name
 * @property {readonly string[]} tiers its compilers of WebAssembly, for `open`
 * @property {() => string | undefined} missing what to do to have it here; undefined where it is
 * @property {(tier?: string) => Promise<EngineBrowser>} open a new browser with an empty profile, one page and a made-up camera
 */

/** The first is what the others are compared with. @type {readonly [BrowserEngine, ...BrowserEngine[]]} */
export const BROWSER_ENGINES = [chromiumEngine, firefoxEngine, webkitEngine];
