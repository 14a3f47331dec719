// Bundles packages/runtime/src/web/*.ts for browsers: minified ES modules in packages/runtime/dist/web.
// The tokenizer library, the engine and what calls onnxruntime get chunks of their own, so that what does not need them
// never loads them, and what reads whole files of a package is with the texts' (the worker reads those of the others); all else that pages share is one chunk, so that nothing waits for the imports of an import. The worker
// is one file with the engine in it, for the same reason.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { build } from 'rolldown';

const runtime = fileURLToPath(new URL('../packages/runtime/', import.meta.url));
const sources = join(runtime, 'src', 'web');
const output = join(runtime, 'dist', 'web');

/** Sources of image tasks, which text tasks must not load. */
const IMAGE = /runtime[\\/]src[\\/](format[\\/])?image[\\/]/;
/** Sources of audio tasks, which others must not load. */
const AUDIO = /runtime[\\/]src[\\/](format[\\/])?audio[\\/]/;
/** Sources of text tasks, and what reads whole files, which only they do on the page. */
const TEXT = /runtime[\\/]src[\\/](tasks[\\/]text-task|tokenizer[\\/]|package[\\/](package-reader|entry-of))/;
/** Sources that are neither an entry, nor a task's own, nor a kind of session that few pages load. */
const SHARED =
  /runtime[\\/]src[\\/](?!web[\\/]|tasks[\\/](text|rank)-|tokenizer[\\/]|package[\\/](package-reader|entry-of)|(format[\\/])?(image|audio)[\\/]|[\w-]+-(classification|extraction|detection)[\\/]|engine[\\/](?!choose-rung|features)|session[\\/](edge|onnx)-|browser[\\/](edge|engine|onnx)-)/;

const entries = (existsSync(sources) ? readdirSync(sources) : []).filter(
  (name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.endsWith('.d.ts'),
);
// Only the bundles: the declarations beside them are tsc's.
for (const name of existsSync(output) ? readdirSync(output) : []) {
  if (name.endsWith('.js')) rmSync(join(output, name));
}

const WORKER = 'worker.ts';

if (entries.length > 0) {
  const chunks = [
    ...(await bundle(
      entries.filter((name) => name !== WORKER),
      [
        { name: 'tokenizer', test: /node_modules[\\/].*tokenizers?[\\/]/ },
        { name: 'runtime', test: SHARED },
        { name: 'text-task', test: TEXT },
        { name: 'pixels', test: IMAGE },
        { name: 'samples', test: AUDIO },
      ],
    )),
    ...(await bundle([WORKER], [])),
  ];
  for (const chunk of chunks) {
    if (chunk.type !== 'chunk') continue;
    const bytes = Buffer.byteLength(chunk.code);
    console.log(`web/${chunk.fileName}: ${bytes} bytes, ${brotliCompressSync(chunk.code).length} brotli`);
  }
}

/** @param {readonly string[]} names of sources @param {{ name: string, test: RegExp }[]} groups chunks by what is in them */
async function bundle(names, groups) {
  const { output: chunks } = await build({
    input: Object.fromEntries(names.map((name) => [basename(name, '.ts'), join(sources, name)])),
    platform: 'browser',
    resolve: { conditionNames: ['@edgewise/source', 'browser', 'import'] },
    transform: { target: 'es2022' },
    output: {
      dir: output,
      format: 'esm',
      minify: true,
      entryFileNames: '[name].js',
      chunkFileNames: '[name].js',
      codeSplitting: { groups },
    },
  });
  return chunks;
}
