import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { TaskName } from '../command/task-names.ts';
import { SITE_PACKAGE_FOLDER } from '../files/find-package.ts';
import { hashOf } from '../files/hash.ts';
import type { PackageFiles } from '../measure/package-files.ts';
import { html } from '../report/html.ts';

const TEMPLATE = new URL('../../page/', import.meta.url);

/** What the pages of all tasks have. */
const SHARED_FILES = ['style.css', 'page.js'] as const;

interface TaskPage {
  readonly title: string;
  /** What happens on the device. */
  readonly what: string;
  /** The page's body, where the task has none of its own name. */
  readonly body?: string;
  /** Scripts beside the task's own. */
  readonly scripts: readonly string[];
  /** Scripts that are not started with, such as worklets. */
  readonly later?: readonly string[];
}

const PAGES: Readonly<Record<TaskName, TaskPage>> = {
  'text-classification': {
    title: 'text classification',
    what: 'What you type is classified',
    scripts: [],
  },
  'feature-extraction': {
    title: 'sentence similarity',
    what: 'What you type is compared',
    scripts: ['cosine.js'],
  },
  'image-classification': {
    title: 'image classification',
    what: 'Pictures are classified',
    body: 'pictures.html',
    scripts: ['pictures.js', 'frame-times.js'],
  },
  'audio-classification': {
    title: 'audio classification',
    what: 'Sounds are classified',
    scripts: ['sounds.js'],
    later: ['microphone-worklet.js'],
  },
  'voice-activity-detection': {
    title: 'voice activity detection',
    what: 'Speech is found',
    scripts: ['sounds.js'],
    later: ['microphone-worklet.js'],
  },
  'object-detection': {
    title: 'object detection',
    what: 'Objects are found in pictures',
    body: 'pictures.html',
    scripts: ['pictures.js', 'frame-times.js'],
  },
  'image-feature-extraction': {
    title: 'image similarity',
    what: 'Pictures are compared',
    body: 'pictures.html',
    scripts: ['cosine.js', 'pictures.js', 'frame-times.js'],
  },
};

export interface SiteParts {
  readonly task: TaskName;
  readonly name: string;
  readonly packageFiles: PackageFiles;
  /** The runtime's browser bundle by file name. */
  readonly runtime: ReadonlyMap<string, Uint8Array>;
  readonly reportHtml: string;
  /** Constants of page-config.js by name: sentences to try. */
  readonly config: Readonly<Record<string, readonly string[]>>;
  /** Further files of the page, by relative path: images to try. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** The task's page as files by relative path: page, service worker, runtime, package, report. */
export async function siteFiles(parts: SiteParts): Promise<Map<string, Uint8Array | string>> {
  const { task, config, packageFiles, runtime } = parts;
  const { scripts: own, later = [] } = PAGES[task];
  const scripts = [...SHARED_FILES, ...own, ...later];
  const files = new Map<string, Uint8Array | string>([
    ['index.html', await indexHtml(parts)],
    ['app.js', await readTemplate(`${task}.js`)],
    ...(await Promise.all(scripts.map(async (name) => [name, await readTemplate(name)] as const))),
    ['page-config.js', Object.entries(config).map(constant).join('')],
    ['report.html', parts.reportHtml],
    ...parts.files,
    ...inFolder('runtime', runtime),
    ...inFolder(SITE_PACKAGE_FOLDER, packageFiles),
  ]);
  const version = hashOf([...files].flat()).slice(0, 16);
  const names = JSON.stringify([...files.keys()], undefined, 2);
  const worker = await readTemplate('sw.js');
  files.set('sw.js', `const VERSION = '${version}';\nconst FILES = ${names};\n\n${worker}`);
  return files;
}

async function indexHtml({ task, name, runtime }: SiteParts): Promise<string> {
  const { title, what, scripts, body = `${task}.html` } = PAGES[task];
  // All that app.js and the runtime's entry import, so that nothing waits for the imports of an import.
  const runtimeScripts = [...runtime.keys()].filter((file) => file !== 'worker.js');
  const preloads = [
    'page.js',
    ...scripts,
    'page-config.js',
    ...runtimeScripts.map((file) => `runtime/${file}`),
  ].map((file) => html`<link rel="modulepreload" href="./${file}" />`);
  const values: Readonly<Record<string, string>> = {
    NAME: html`${name}`.text,
    TITLE: title,
    WHAT: what,
    PRELOADS: preloads.map(({ text }) => text).join('\n    '),
    BODY: indented(await readTemplate(body)),
  };
  const template = await readTemplate('index.html');
  return template.replaceAll(/%([A-Z]+)%/g, (whole, key: string) => values[key] ?? whole);
}

/** As deep as the template has it. */
function indented(body: string): string {
  return body.trim().replaceAll(/\n(?=.)/g, '\n      ');
}

function constant([name, texts]: readonly [string, readonly string[]]): string {
  return `export const ${name} = ${JSON.stringify(texts, undefined, 2)};\n`;
}

function inFolder(folder: string, files: ReadonlyMap<string, Uint8Array>): [string, Uint8Array][] {
  return [...files].map(([name, bytes]) => [`${folder}/${name}`, bytes]);
}

async function readTemplate(name: string): Promise<string> {
  return readFile(fileURLToPath(new URL(name, TEMPLATE)), 'utf8');
}
