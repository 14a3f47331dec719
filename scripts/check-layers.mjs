// Fails when an import breaks the layering of docs/architecture.md. Part of npm run lint.
//   node scripts/check-layers.mjs [root]
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'oxc-parser';

/** Folders of compiler/src, lowest first: each may import the ones before it. Files directly in src may import all. */
const LAYERS = [
  'diagnostics',
  'ir',
  'wasm',
  'ops',
  'rewrite',
  'import',
  'report',
  'transforms',
  'quantize',
  'prune',
  'targets',
  'evaluate',
  'search',
];

/** Layers that are kept apart although one comes after the other. @type {Record<string, readonly string[]>} */
const APART = { import: ['rewrite'], report: ['rewrite', 'import'], transforms: ['import'] };

/** What each package's sources may import of ours. A name stands for its subpaths only where it ends in a slash. */
/** @type {Record<string, readonly string[]>} */
const OURS = {
  runtime: [],
  compiler: ['@edgewise/runtime/format'],
  cli: ['@edgewise/compiler', '@edgewise/runtime', '@edgewise/runtime/'],
  studio: ['@edgewise/compiler', '@edgewise/runtime', '@edgewise/runtime/'],
  'test-utils': ['@edgewise/compiler', '@edgewise/runtime', '@edgewise/runtime/'],
};

const root = resolve(process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url)));
const problems = Object.keys(OURS).flatMap(checkPackage);
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);

/** @param {string} name */
function checkPackage(name) {
  const source = join(root, 'packages', name, 'src');
  if (!existsSync(source)) return [];
  return readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .flatMap((file) => checkFile(name, source, join(source, file)));
}

/** @param {string} name @param {string} source @param {string} file */
function checkFile(name, source, file) {
  const text = readFileSync(file, 'utf8');
  return importsOf(file, text).flatMap(({ specifier, start }) => {
    const reason = refusal(name, source, file, specifier);
    if (!reason) return [];
    const line = text.slice(0, start).split('\n').length;
    return [`${relative(root, file)}:${line}: imports '${specifier}': ${reason}`];
  });
}

/** @param {string} name @param {string} source @param {string} file @param {string} specifier */
function refusal(name, source, file, specifier) {
  if (specifier.startsWith('.')) {
    const target = relative(source, resolve(dirname(file), specifier));
    if (target.startsWith('..'))
      return 'a relative import must stay inside its package; use the public entry';
    return name === 'compiler' ? layerRefusal(layerOf(relative(source, file)), layerOf(target)) : undefined;
  }
  if (specifier === 'edgewise' || specifier.startsWith('edgewise/') || specifier.startsWith('@edgewise/')) {
    const allowed = OURS[name] ?? [];
    if (allowed.some((entry) => (entry.endsWith('/') ? specifier.startsWith(entry) : specifier === entry)))
      return;
    return `${name} may import of ours: ${allowed.join(', ') || 'nothing'}`;
  }
  const neutral = name === 'compiler' || (name === 'runtime' && layerOf(relative(source, file)) !== 'node');
  return neutral && specifier.startsWith('node:') ? 'this code runs in browsers too' : undefined;
}

/** @param {string | undefined} from @param {string | undefined} to */
function layerRefusal(from, to) {
  if (from === undefined || from === to) return undefined;
  if (to === undefined) return `a layer may not import the package's entry`;
  const rank = LAYERS.indexOf(from);
  if (rank < 0) return `src/${from} is not a known layer; name it in scripts/check-layers.mjs`;
  const allowed = LAYERS.slice(0, rank).filter((layer) => !APART[from]?.includes(layer));
  return allowed.includes(to) ? undefined : `${from} may import only ${allowed.join(', ') || 'nothing'}`;
}

/** First folder of a path inside src; undefined for files directly in it. @param {string} path */
function layerOf(path) {
  return path.includes(sep) ? path.split(sep)[0] : undefined;
}

/**
 * Every module a file names, in import, export from and import(). (Lint forbids import() in types.)
 * @param {string} file @param {string} text
 */
function importsOf(file, text) {
  const { module, errors } = parseSync(file, text);
  if (errors[0]) throw new Error(`${relative(root, file)}: ${errors[0].message}`);
  const fixed = module.staticImports.map(({ moduleRequest: { value, start } }) => ({
    specifier: value,
    start,
  }));
  const exported = module.staticExports
    .flatMap(({ entries }) => entries)
    .flatMap(({ moduleRequest }) => moduleRequest ?? [])
    .map(({ value, start }) => ({ specifier: value, start }));
  const dynamic = module.dynamicImports
    .map(({ moduleRequest: { start, end } }) => ({ specifier: text.slice(start, end), start }))
    .filter(({ specifier }) => /^(['"]).*\1$/.test(specifier))
    .map(({ specifier, start }) => ({ specifier: specifier.slice(1, -1), start }));
  const named = new Map([...fixed, ...exported, ...dynamic].map((found) => [found.start, found]));
  return [...named.values()].sort((a, b) => a.start - b.start);
}
