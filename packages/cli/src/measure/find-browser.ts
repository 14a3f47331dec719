import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { UsageError } from '../command/usage-error.ts';

const COMMANDS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/**
 * Path of a Chromium or Chrome on this machine, `EDGEWISE_CHROMIUM` first; undefined when there is none.
 * @throws UsageError when the variable names a file that is not there
 */
export function findBrowser(): string | undefined {
  const named = process.env['EDGEWISE_CHROMIUM'];
  if (!named) return usualPlaces().find((path) => existsSync(path));
  if (existsSync(named)) return named;
  throw new UsageError(`EDGEWISE_CHROMIUM names ${named}, which does not exist.`);
}

function usualPlaces(): readonly string[] {
  if (process.platform === 'darwin')
    return ['Chromium', 'Google Chrome'].map((app) => `/Applications/${app}.app/Contents/MacOS/${app}`);
  if (process.platform === 'win32')
    return ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA']
      .flatMap((name) => process.env[name] ?? [])
      .flatMap((root) => [
        join(root, 'Google', 'Chrome', 'Application', 'chrome.exe'),
        join(root, 'Chromium', 'Application', 'chrome.exe'),
      ]);
  const folders = ['/usr/bin', ...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean)];
  return [...new Set(folders)].flatMap((folder) => COMMANDS.map((name) => join(folder, name)));
}
