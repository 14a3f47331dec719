import { chromium } from 'playwright-core';
import { fileURLToPath } from 'node:url';
import { findChromium, installHint } from '../../packages/test-utils/dist/find-chromium.js';
import { serveStatic } from '../../packages/test-utils/dist/static-server.js';
import { peerFolder, transformersRuntimeFolder } from './peers.mjs';

const FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // A page that nobody looks at must not be slowed down.
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows',
];

/** A new Chromium with an empty profile. @param {readonly string[]} [flags] */
export async function launch(flags = []) {
  const executablePath = findChromium();
  if (!executablePath) throw new Error(installHint());
  return chromium.launch({ executablePath, headless: false, args: [...FLAGS, ...flags] });
}

/**
 * Serves the pages, our browser bundle and the peers; `folders` adds more by URL prefix.
 * @param {Readonly<Record<string, string>>} folders @param {{ isolated?: boolean }} [options]
 */
export async function servePages(folders, { isolated = true } = {}) {
  return serveStatic({
    isolated,
    root: {
      '/': fileURLToPath(new URL('../pages', import.meta.url)),
      '/edgewise': fileURLToPath(new URL('../../packages/runtime/dist/web', import.meta.url)),
      '/onnxruntime': `${peerFolder('onnxruntime-web')}/dist`,
      '/transformers': `${peerFolder('@huggingface/transformers')}/dist`,
      '/transformers-runtime': `${transformersRuntimeFolder()}/dist`,
      ...folders,
    },
  });
}
