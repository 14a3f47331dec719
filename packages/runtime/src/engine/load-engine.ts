import { memoryBytes, memoryPages, type EdgeModel, type Manifest } from '../format/index.ts';
import { entryOf } from '../package/entry-of.ts';
import type { PackageReader } from '../package/package-reader.ts';
import type { EnginePlatform } from '../platform.ts';
import { RuntimeError } from '../runtime-error.ts';
import type { SessionOptions } from '../session/session.ts';
import { together } from '../together.ts';
import { chooseMode } from './choose-mode.ts';
import { Engine } from './engine.ts';
import { loadWeights } from './load-weights.ts';
import { MODES, type Mode, type Rung } from './modes.ts';
import { instantiate, loadProgram, type ProgramExports } from './program.ts';
import { FIXED } from './tensor-io.ts';
import { ThreadPool } from './thread-pool.ts';

/**
 * Below so many multiply-accumulates waking threads and their barriers cost more than the threads gain: 1.5 to 4 ms of
 * one thread's work.
 */
const THREADED_MIN_MACS = 150e6;
/** More threads than this gain little on encoder-sized work, and phones' slow cores hold the fast ones up. */
const MAX_AUTO_THREADS = 4;

export type EngineOptions = SessionOptions & { readonly rung: Rung };

/** Loads the program and the weights at the same time, then probes, starts threads and warms up. */
export async function loadEngine(
  platform: EnginePlatform,
  reader: PackageReader,
  manifest: Manifest,
  model: EdgeModel,
  options: EngineOptions,
  onFiles: () => void,
): Promise<Engine> {
  checkMode(options.mode);
  const { rung } = options;
  const threads = chooseThreads(platform, model, options.threads ?? 'auto');
  const memory = allocate(model, threads);
  const file = model.programs[rung];
  const module = await loadFiles(reader, manifest, model, file, memory, options);
  onFiles();

  const program = await instantiate(file, module, memory);
  const mode = startProgram(platform, file, model, program, memory.buffer, options.mode ?? rung);
  const start = { module, memory, mode: MODES.indexOf(mode), threads };
  const pool = threads > 1 ? await ThreadPool.start(start, platform.startThread) : undefined;
  const minThreadedMacs = typeof options.threads === 'number' ? 0 : THREADED_MIN_MACS;
  const parts = { model, rung, mode, threads, minThreadedMacs, program, memory: memory.buffer, pool };
  const engine = new Engine(parts);
  try {
    if (options.warmUp ?? true) engine.warmUp();
    options.signal?.throwIfAborted();
    return engine;
  } catch (error) {
    engine.dispose();
    throw error;
  }
}

/** Compiles the program while the weights stream into the memory. */
async function loadFiles(
  reader: PackageReader,
  manifest: Manifest,
  model: EdgeModel,
  file: string,
  memory: WebAssembly.Memory,
  { verify = false, signal: outer }: SessionOptions,
): Promise<WebAssembly.Module> {
  const { buffer } = memory;
  const shared = !(buffer instanceof ArrayBuffer);
  const { weights } = model;
  const [module] = await together(outer, (signal) => [
    loadProgram(reader, file, entryOf(manifest, file), { shared, verify, signal }),
    loadWeights(reader, weights, entryOf(manifest, weights.file), buffer, { verify, signal }),
  ]);
  return module;
}

/** Expands packed weights, finds the mode unless one is given, and initializes the instance with it. */
function startProgram(
  platform: EnginePlatform,
  file: string,
  model: EdgeModel,
  program: ProgramExports,
  memory: ArrayBufferLike,
  wanted: Mode | Rung,
): Mode {
  try {
    expandWeights(model, program);
    const mode =
      wanted === 'relaxed' ? probeMode(platform, model, program, memory) : wanted === 'simd' ? 'i16' : wanted;
    program.init(MODES.indexOf(mode));
    return mode;
  } catch (cause) {
    const message = `${file} failed to start: ${(cause as Error).message}`;
    throw new RuntimeError('bad-package', message, { file, cause });
  }
}

function checkMode(mode: Mode | undefined): void {
  if (mode === undefined || MODES.includes(mode)) return;
  throw new RuntimeError('bad-option', `mode must be one of ${MODES.join(', ')}, not ${String(mode)}`);
}

function chooseThreads(platform: EnginePlatform, model: EdgeModel, wanted: 'auto' | number): number {
  const most = Math.min(platform.maxThreads, model.memory.maxThreads);
  if (wanted === 'auto') {
    const largest = (model.macsPerToken ?? 0) * (model.dims.sequence ?? FIXED).max;
    return largest >= THREADED_MIN_MACS ? Math.min(most, MAX_AUTO_THREADS) : 1;
  }
  if (!Number.isInteger(wanted) || wanted < 1) {
    throw new RuntimeError('bad-option', `threads must be "auto" or a whole number from 1, not ${wanted}`);
  }
  return Math.min(most, wanted);
}

function allocate(model: EdgeModel, threads: number): WebAssembly.Memory {
  const pages = memoryPages(model.memory, threads);
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: threads > 1 });
  } catch (cause) {
    const mebibytes = Math.ceil(memoryBytes(model.memory, threads) / 2 ** 20);
    throw new RuntimeError('unsupported', `there is no room for the model: it needs ${mebibytes} MiB`, {
      cause,
    });
  }
}

function expandWeights(model: EdgeModel, program: ProgramExports): void {
  for (const section of model.weights.sections) {
    if (section.encoding !== 'int4') continue;
    if (!program.expand) throw new Error('it has int4 weights but does not export expand');
    program.expand(section.address, section.count, ...(section.arguments ?? []));
  }
}

function probeMode(
  { hasReliableDot }: EnginePlatform,
  model: EdgeModel,
  program: ProgramExports,
  memory: ArrayBufferLike,
): Mode {
  const { probe } = program;
  if (!probe) throw new Error('it does not export probe');
  return chooseMode(probe, memory, Math.ceil(model.memory.weightsBytes / 16) * 16, hasReliableDot);
}
