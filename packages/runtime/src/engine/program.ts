import type { FileEntry } from '../format/index.ts';
import { canHash, readFile, type PackageReader } from '../package/package-reader.ts';
import { RuntimeError } from '../runtime-error.ts';
import type { Probe } from './choose-mode.ts';
import { shareMemory } from './share-memory.ts';

/** What a program exports (docs/package-format.md). */
export interface ProgramExports {
  readonly run: (sequence: number, thread: number, threads: number) => void;
  readonly init: (mode: number) => void;
  readonly expand?: (address: number, count: number, ...rest: number[]) => void;
  readonly probe?: Probe;
}

/** Loads and compiles a program; its hash is checked wherever hashes can be computed. */
export async function loadProgram(
  reader: PackageReader,
  file: string,
  entry: FileEntry,
  options: { readonly shared: boolean; readonly verify: boolean; readonly signal: AbortSignal },
): Promise<WebAssembly.Module> {
  const verify = options.verify || canHash();
  const bytes = await readFile(reader, file, entry, { verify, signal: options.signal });
  if (options.shared && !shareMemory(bytes))
    throw bad(file, 'it does not import a memory with a maximum first');
  const module = await WebAssembly.compile(bytes).catch((cause: unknown) => {
    throw bad(file, (cause as Error).message, cause);
  });
  checkInterface(file, module);
  return module;
}

/** Instantiates a program on its memory. */
export async function instantiate(
  file: string,
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
): Promise<ProgramExports> {
  try {
    const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
    return exports as unknown as ProgramExports;
  } catch (cause) {
    throw bad(file, (cause as Error).message, cause);
  }
}

function checkInterface(file: string, module: WebAssembly.Module): void {
  const imports = WebAssembly.Module.imports(module);
  const [memory] = imports;
  if (
    imports.length !== 1 ||
    memory?.module !== 'env' ||
    memory.name !== 'memory' ||
    memory.kind !== 'memory'
  ) {
    throw bad(file, 'a program imports env.memory and nothing else');
  }
  const functions = WebAssembly.Module.exports(module).filter(({ kind }) => kind === 'function');
  for (const name of ['run', 'init']) {
    if (!functions.some((item) => item.name === name)) throw bad(file, `it does not export ${name}`);
  }
}

function bad(file: string, what: string, cause?: unknown): RuntimeError {
  return new RuntimeError('bad-package', `${file} is not a program that runs here: ${what}`, { file, cause });
}
