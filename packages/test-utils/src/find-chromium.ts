import { spawnSync, type SpawnSyncOptions } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';

const COMMANDS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Path of a Chromium or Chrome on this machine, `EDGEWISE_CHROMIUM` first; undefined when there is none. */
export function findChromium(): string | undefined {
  const named = process.env['EDGEWISE_CHROMIUM'];
  if (named) {
    if (!existsSync(named)) throw new Error(`EDGEWISE_CHROMIUM names ${named}, which does not exist.`);
    return named;
  }
  return usualPlaces().find((path) => existsSync(path));
}

/** What to do on this machine to get a Chromium. */
export function installHint(): string {
  const command: Partial<Record<NodeJS.Platform, string>> = {
    darwin: 'brew install --cask chromium',
    linux: 'sudo apt-get install chromium',
    win32: 'winget install Google.Chrome',
  };
  const install = command[process.platform];
  return `no Chromium found: ${install ? `install one (${install})` : 'install one'} or set EDGEWISE_CHROMIUM to its path`;
}

/**
 * Makes a Chromium available when that needs nobody's consent: on Debian as root it installs Debian's.
 * Elsewhere, or when that fails, returns undefined; the caller says what is skipped.
 */
export function ensureChromium(): string | undefined {
  const found = findChromium();
  if (found || !isDebianRoot()) return found;
  process.stderr.write('installing chromium with apt-get\n');
  const options: SpawnSyncOptions = {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  // A failed update (one dead mirror) may still leave lists that are good enough to install from.
  spawnSync('apt-get', ['update', '-qq'], options);
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], options);
  return findChromium();
}

function isDebianRoot(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || !existsSync('/etc/os-release'))
    return false;
  return /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'));
}

function usualPlaces(): string[] {
  const onPath = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  switch (process.platform) {
    case 'darwin':
      return ['Chromium', 'Google Chrome'].map((app) => `/Applications/${app}.app/Contents/MacOS/${app}`);
    case 'win32':
      return ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA']
        .flatMap((name) => process.env[name] ?? [])
        .flatMap((root) => [
          join(root, 'Google', 'Chrome', 'Application', 'chrome.exe'),
          join(root, 'Chromium', 'Application', 'chrome.exe'),
        ]);
    default:
      return [...new Set(['/usr/bin', ...onPath])].flatMap((folder) =>
        COMMANDS.map((name) => join(folder, name)),
      );
  }
}
