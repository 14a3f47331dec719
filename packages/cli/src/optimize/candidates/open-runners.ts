import type { Runner } from '@edgewise/compiler';
import { openBrowser } from '../../measure/browser-runner.ts';
import { nodeRunner } from '../../measure/node-runner.ts';
import type { Machine } from '../../report/optimize-report.ts';
import { describeMachine } from './machine.ts';
import type { Work } from '../pipelines/pipeline.ts';

export interface OpenRunnersOptions extends Work {
  readonly target: 'web' | 'node';
  /** The runtime's browser bundle by file name. */
  readonly runtime: ReadonlyMap<string, Uint8Array>;
}

/** What packages of a target are measured with. */
export interface OpenRunners {
  /** onnxruntime in Node. */
  readonly original: Runner<string>;
  /** The runtime: in Chromium for web where there is one, else in Node. */
  readonly candidate: Runner<string>;
  readonly machine: Machine;
  /** What was opened for target web, or why nothing was. */
  readonly browser: { readonly version: string } | { readonly missing: string } | undefined;
  readonly close: () => Promise<void>;
}

/** Opens what packages are measured with; warns where a page's times come from Node. */
export async function openRunners(options: OpenRunnersOptions): Promise<OpenRunners> {
  const browser = options.target === 'web' ? await openBrowser(options) : undefined;
  const opened = browser && 'runner' in browser ? browser : undefined;
  if (browser && 'missing' in browser)
    options.progress.warn(
      `No browser (${browser.missing}): times and memory are measured in Node and say little about a page's. EDGEWISE_CHROMIUM names a browser.`,
    );
  const machine = await describeMachine();
  return {
    original: nodeRunner(`onnxruntime ${machine.onnxruntime ?? ''} (Node)`),
    candidate: opened?.runner ?? nodeRunner('edgewise (Node)'),
    machine: { ...machine, ...(opened ? { browser: opened.version } : {}) },
    browser,
    close: async () => opened?.close(),
  };
}
