import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CompilerError } from '@edgewise/compiler';
import type { TaskName } from '../command/task-names.ts';

/** Every chunk of the runtime names the others it needs as `./name.js` or, for the worker, as a URL. */
const CHUNK_NAME = /["'`](?:\.\/)?([\w-]+\.js)["'`]/g;

/** What our pages never load: the engine for a page's own thread (it runs in the worker) and what calls onnxruntime. */
const NOT_NEEDED: readonly string[] = ['edge-session.js', 'onnx-session.js'];

/** The runtime's browser bundle that a task needs: its entry, the worker and every chunk they load, by file name. */
export async function runtimeFiles(task: TaskName): Promise<ReadonlyMap<string, Uint8Array>> {
  const entry = fileURLToPath(import.meta.resolve(`@edgewise/runtime/web/${task}.js`));
  const files = new Map<string, Uint8Array>();
  const open = [`${task}.js`, 'worker.js'];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (files.has(name) || NOT_NEEDED.includes(name)) continue;
    const bytes = await readChunk(join(dirname(entry), name));
    files.set(name, bytes);
    for (const [, found] of bytes.toString('utf8').matchAll(CHUNK_NAME)) if (found) open.push(found);
  }
  return files;
}

async function readChunk(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new CompilerError('bad-file', `the runtime's browser bundle is not built: ${path} is missing.`, {
      cause,
      hint: "Run 'npm run build' in the repository.",
    });
  }
}
