import { memoryBytes, memoryPages, type EdgeModel, type Manifest } from '../format/index.ts';
import type { PackageReader } from '../package/package-reader.ts';
import type { Platform } from '../platform.ts';
import { RuntimeError } from '../runtime-error.ts';
import type { Feeds, Outputs, SessionOptions } from '../session/session.ts';
import { together } from '../together.ts';
import { chooseMode } from './choose-mode.ts';
import { hasRelaxedSimd, hasSimd } from './features.ts';
import { loadWeights } from './load-weights.ts';
import { MODES, type Mode, type Rung } from './modes.ts';
import { instantiate, loadProgram, type ProgramExports } from './program.ts';
import { ThreadPool } from './thread-pool.ts';
import { readOutput, sequenceOf, writeInputs } from './tensor-io.ts';

/**
 * Below so many multiply-accumulates waking threads and their barriers cost more than the threads gain: about 1.5 ms
 * of one thread's work.
 */
const THREADED_MIN_MACS = 150e6;
/** More threads than this gain little on encoder-sized work, and phones' slow cores hold the fast ones up. */
const MAX_AUTO_THREADS = 4;
const WARM_UP_SEQUENCE = 16;

/** A program on its memory, ready to run on the calling thread. */
export class Engine {
  readonly model: EdgeModel;
  readonly rung: Rung;
  readonly mode: Mode;
  readonly threads: number;
  readonly memoryBytes: number;
  readonly #program: ProgramExports;
  readonly #memory: ArrayBufferLike;
  readonly #pool: ThreadPool | undefined;
  /** Runs with fewer multiply-accumulates stay on one thread. */
  readonly #minMacs: number;
  #failed = false;

  constructor(parts: {
    model: EdgeModel;
    rung: Rung;
    mode: Mode;
    threads: number;
    minMacs: number;
    program: ProgramExports;
    memory: ArrayBufferLike;
    pool: ThreadPool | undefined;
  }) {
    this.model = parts.model;
    this.rung = parts.rung;
    this.mode = parts.mode;
    this.threads = parts.threads;
    this.memoryBytes = parts.memory.byteLength;
    this.#program = parts.program;
    this.#memory = parts.memory;
    this.#pool = parts.pool;
    this.#minMacs = parts.minMacs;
  }

  run(feeds: Feeds): Outputs {
    const { model } = this;
    const sequence = sequenceOf(model, feeds);
    writeInputs(model, feeds, sequence, this.#memory);
    this.#forward(sequence);
    return Object.fromEntries(
      model.outputs.map((output) => [output.name, readOutput(output, sequence, this.#memory)]),
    );
  }

  /** One short run whose outputs nobody sees. */
  warmUp(): void {
    const { inputs, dims } = this.model;
    const sequence = Math.min(WARM_UP_SEQUENCE, dims.sequence.max);
    const feeds = inputs.map(({ name, shape, range }) => {
      const length = shape.reduce<number>((n, dim) => n * (dim === 'sequence' ? sequence : dim), 1);
      return [name, new Float32Array(length).fill(Math.ceil(Math.max(0, range?.[0] ?? 0)))] as const;
    });
    this.run(Object.fromEntries(feeds));
  }

  dispose(): void {
    this.#pool?.terminate();
  }

  #forward(sequence: number): void {
    if (this.#failed) throw new RuntimeError('run-failed', 'an earlier run failed; load the package again');
    const pool = (this.model.macsPerToken ?? 0) * sequence >= this.#minMacs ? this.#pool : undefined;
    try {
      if (pool) pool.run(sequence, () => this.#program.run(sequence, 0, this.threads));
      else this.#program.run(sequence, 0, 1);
    } catch (cause) {
      this.#failed = true;
      throw new RuntimeError('run-failed', `the program failed: ${(cause as Error).message}`, { cause });
    }
  }
}

/** Loads the program and the weights at the same time, then probes, starts threads and warms up. */
export async function loadEngine(
  platform: Platform,
  reader: PackageReader,
  manifest: Manifest,
  model: EdgeModel,
  options: SessionOptions,
  onFiles: () => void,
): Promise<Engine> {
  const rung = chooseRung(options.rung);
  checkMode(options.mode);
  const file = model.programs[rung];
  const threads = chooseThreads(platform, model, options.threads ?? 'auto');
  const shared = threads > 1;
  const memory = allocate(model, threads);
  const verify = options.verify ?? false;

  const [module] = await together(options.signal, (signal) => [
    loadProgram(reader, file, entryOf(manifest, file), { shared, verify, signal }),
    loadWeights(reader, model.weights, entryOf(manifest, model.weights.file), memory.buffer, {
      verify,
      signal,
    }),
  ]);
  onFiles();

  const program = await instantiate(file, module, memory);
  let mode: Mode;
  try {
    expandWeights(model, program);
    mode = options.mode ?? probeMode(rung, model, program, memory.buffer);
    program.init(MODES.indexOf(mode));
  } catch (cause) {
    throw new RuntimeError('bad-package', `${file} failed to start: ${(cause as Error).message}`, {
      file,
      cause,
    });
  }
  const start = { module, memory, mode: MODES.indexOf(mode), threads };
  const pool = shared ? await ThreadPool.start(start, platform.startThread) : undefined;
  const minMacs = typeof options.threads === 'number' ? 0 : THREADED_MIN_MACS;
  const engine = new Engine({ model, rung, mode, threads, minMacs, program, memory: memory.buffer, pool });
  try {
    if (options.warmUp ?? true) engine.warmUp();
    options.signal?.throwIfAborted();
    return engine;
  } catch (error) {
    engine.dispose();
    throw error;
  }
}

function chooseRung(wanted: Rung | undefined): Rung {
  if (!hasSimd()) {
    throw new RuntimeError(
      'unsupported',
      'this browser has no WebAssembly SIMD; every one since 2023 has it',
    );
  }
  const relaxed = hasRelaxedSimd();
  if (wanted === 'relaxed' && !relaxed)
    throw new RuntimeError('unsupported', 'there is no relaxed SIMD here');
  return wanted ?? (relaxed ? 'relaxed' : 'simd');
}

function checkMode(mode: Mode | undefined): void {
  if (mode === undefined || MODES.includes(mode)) return;
  throw new RuntimeError('bad-option', `mode must be one of ${MODES.join(', ')}, not ${String(mode)}`);
}

function chooseThreads(platform: Platform, model: EdgeModel, wanted: 'auto' | number): number {
  const most = Math.min(platform.maxThreads, model.memory.maxThreads);
  if (wanted === 'auto') {
    const largest = (model.macsPerToken ?? 0) * model.dims.sequence.max;
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

function probeMode(rung: Rung, model: EdgeModel, program: ProgramExports, memory: ArrayBufferLike): Mode {
  if (rung === 'simd') return 'i16';
  const { probe } = program;
  if (!probe) throw new Error('it does not export probe');
  return chooseMode(probe, memory, Math.ceil(model.memory.weightsBytes / 16) * 16);
}

function entryOf(manifest: Manifest, file: string): Manifest['files'][string] {
  const entry = manifest.files[file];
  if (!entry) throw new RuntimeError('bad-package', `edgewise.json does not list ${file}`, { file });
  return entry;
}
