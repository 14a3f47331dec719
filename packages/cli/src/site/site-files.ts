import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { SITE_PACKAGE_FOLDER } from '../files/find-package.ts';
import { hashOf } from '../files/hash.ts';
import type { PackageFiles } from '../measure/package-files.ts';
import { html } from '../report/html.ts';

const TEMPLATE = new URL('../../page/', import.meta.url);

export interface SiteParts {
  readonly name: string;
  readonly packageFiles: PackageFiles;
  /** The runtime's browser bundle by file name. */
  readonly runtime: ReadonlyMap<string, Uint8Array>;
  readonly reportHtml: string;
  /** Sentences to try. */
  readonly examples: readonly string[];
}

/** The demo page for text classification as files by relative path: page, service worker, runtime, package, report. */
export async function siteFiles(parts: SiteParts): Promise<Map<string, Uint8Array | string>> {
  const [page, style, app, worker] = await Promise.all(
    ['index.html', 'style.css', 'app.js', 'sw.js'].map((name) => readTemplate(name)),
  );
  const files = new Map<string, Uint8Array | string>([
    ['index.html', (page ?? '').replaceAll('%NAME%', html`${parts.name}`.text)],
    ['style.css', style ?? ''],
    ['app.js', app ?? ''],
    ['page-config.js', `export const EXAMPLES = ${JSON.stringify(parts.examples, undefined, 2)};\n`],
    ['report.html', parts.reportHtml],
    ...inFolder('runtime', parts.runtime),
    ...inFolder(SITE_PACKAGE_FOLDER, parts.packageFiles),
  ]);
  const version = hashOf([...files].flat()).slice(0, 16);
  const names = JSON.stringify([...files.keys()], undefined, 2);
  files.set('sw.js', `const VERSION = '${version}';\nconst FILES = ${names};\n\n${worker ?? ''}`);
  return files;
}

function inFolder(folder: string, files: ReadonlyMap<string, Uint8Array>): [string, Uint8Array][] {
  return [...files].map(([name, bytes]) => [`${folder}/${name}`, bytes]);
}

async function readTemplate(name: string): Promise<string> {
  return readFile(fileURLToPath(new URL(name, TEMPLATE)), 'utf8');
}
