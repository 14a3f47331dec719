import process from 'node:process';
import { chromium, type Browser } from 'playwright-core';
import { describe } from 'vitest';
import { findChromium, installHint } from './find-chromium.ts';
import { skipLine } from './skip-line.ts';

/** New headless mode, quiet, the same on every machine: no GPU, no update or telemetry requests. */
const FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface LaunchOptions {
  /** More command-line flags, for example `['--js-flags=--no-enable-avx']`. */
  args?: readonly string[];
}

/** Starts a headless Chromium; the caller closes it. Each launch has a fresh profile. */
export async function launchChromium(options: LaunchOptions = {}): Promise<Browser> {
  const executablePath = findChromium();
  if (!executablePath) throw new Error(installHint());
  // `headless: false` keeps Playwright from adding its own headless flag beside ours.
  return chromium.launch({ executablePath, headless: false, args: [...FLAGS, ...(options.args ?? [])] });
}

/** `describe` that needs a Chromium: without one it skips with one printed line, and fails under CI. */
export function describeWithChromium(name: string, suite: () => void): void {
  if (findChromium()) return void describe(name, suite);
  if (process.env['CI']) throw new Error(`"${name}" cannot run under CI: ${installHint()}`);
  skipLine(name, installHint());
  describe.skip(name, suite);
}
