import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  atomic,
  f32,
  i16x8,
  i32,
  i32x4,
  i64,
  ModuleBuilder,
  v128,
  type Expr,
} from '../../compiler/src/wasm/index.ts';
import { memoryPages, type EdgeModel, type Manifest, type MemoryLayout } from '../src/format/index.ts';
import type { Rung } from '../src/index.ts';

/**
 * The smallest model that uses everything a package can: rows[t] = mask[t]·table[ids[t]] (threads share the rows),
 * logits = bias + Σ rows, after a barrier. The table is stored in 4 bits and multiplied by 3 when it is expanded.
 */
export const VOCABULARY = 900;
export const LABELS = 3;
export const MAX_SEQUENCE = 128;
const COLUMNS = 4;
const ROW_STRIDE = 8;
const MULTIPLIER = 3;

const TABLE = 64;
const TABLE_VALUES = VOCABULARY * COLUMNS;
const BALLAST = 4096;

/** Addresses behind the weights. */
interface Layout {
  readonly weightsBytes: number;
  readonly ids: number;
  readonly mask: number;
  readonly rows: number;
  readonly logits: number;
  readonly mode: number;
  readonly barrier: number;
  readonly end: number;
}

function layoutFor({ ballastBytes = 0 }: TinyOptions): Layout {
  const weightsBytes = BALLAST + ballastBytes;
  const ids = Math.ceil((weightsBytes + 64) / 64) * 64;
  const mask = ids + MAX_SEQUENCE * 4;
  const rows = mask + MAX_SEQUENCE * 4;
  const logits = rows + MAX_SEQUENCE * ROW_STRIDE * 4;
  return { weightsBytes, ids, mask, rows, logits, mode: logits + 16, barrier: logits + 32, end: logits + 96 };
}

function memoryFor(options: TinyOptions): MemoryLayout {
  const { ids, end, weightsBytes } = layoutFor(options);
  const { maxThreads = 4 } = options;
  return { bytes: end, perThreadBytes: 70_000, maxThreads, weightsBytes, arenaBytes: end - ids };
}

const bias = Float32Array.of(0.5, -0.25, 1);
/** 4-bit values that differ from row to row. */
const table = Int8Array.from({ length: TABLE_VALUES }, (_, i) => ((i * 7 + (i >> 3) * 5) % 16) - 8);

export interface TinyOptions {
  readonly task?: string;
  readonly macsPerToken?: number;
  readonly maxThreads?: number;
  readonly maxLength?: number;
  readonly multiLabel?: boolean;
  /** Replaces the `run` of both programs by one that traps. */
  readonly traps?: boolean;
  /** So many more bytes of weights, which the program does not use. */
  readonly ballastBytes?: number;
}

export interface TinyPackage {
  readonly manifest: Manifest & { readonly model: EdgeModel };
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

export function tinyPackage(options: TinyOptions = {}): TinyPackage {
  const contents = new Map<string, Uint8Array<ArrayBuffer>>([
    ['model.relaxed.wasm', program('relaxed', options)],
    ['model.simd.wasm', program('simd', options)],
    ['model.weights', weights(options)],
    ['tokenizer.json', tokenizer()],
  ]);
  const manifest = makeManifest(contents, options);
  const text = new TextEncoder().encode(JSON.stringify(manifest));
  return { manifest, files: new Map([...contents, ['edgewise.json', text]]) };
}

/** What the model must answer, exactly. */
export function tinyReference(
  ids: readonly number[],
  mask: readonly number[] = ids.map(() => 1),
): { logits: number[]; rows: number[] } {
  const row = (id: number, keep: number): number[] =>
    Array.from({ length: LABELS }, (_, j) => keep * MULTIPLIER * (table[id * COLUMNS + j] ?? NaN));
  const rows = ids.map((id, t) => row(id, mask[t] ?? NaN));
  const logits = Array.from(bias, (b, j) => rows.reduce((sum, values) => sum + (values[j] ?? NaN), b));
  return { logits, rows: rows.flat() };
}

/** The package's `files` entry for these bytes. */
export function fileEntry(bytes: Uint8Array): { bytes: number; sha256: string } {
  return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

function makeManifest(
  contents: ReadonlyMap<string, Uint8Array>,
  options: TinyOptions,
): TinyPackage['manifest'] {
  const {
    task = 'text-classification',
    macsPerToken = 100,
    maxLength = 32,
    multiLabel,
    ballastBytes = 0,
  } = options;
  const layout = layoutFor(options);
  const tokens = { dtype: 'int32', shape: [1, 'sequence'] } as const;
  return {
    format: 'edgewise',
    formatVersion: 1,
    name: 'tiny',
    task,
    model: {
      kind: 'edge',
      programs: { relaxed: 'model.relaxed.wasm', simd: 'model.simd.wasm' },
      weights: {
        file: 'model.weights',
        sections: [
          { offset: 0, bytes: bias.byteLength, address: 0, encoding: 'raw' },
          {
            offset: 64,
            bytes: TABLE_VALUES / 2,
            address: TABLE,
            encoding: 'int4',
            count: TABLE_VALUES,
            arguments: [MULTIPLIER],
          },
          { offset: 64 + TABLE_VALUES / 2, bytes: ballastBytes, address: BALLAST, encoding: 'raw' },
        ],
      },
      memory: memoryFor(options),
      dims: { sequence: { max: MAX_SEQUENCE } },
      inputs: [
        { name: 'input_ids', ...tokens, address: layout.ids, range: [0, VOCABULARY - 1] },
        { name: 'attention_mask', ...tokens, address: layout.mask, default: 'ones' },
      ],
      outputs:
        task === 'feature-extraction'
          ? [
              {
                name: 'rows',
                dtype: 'float32',
                shape: [1, 'sequence', LABELS],
                address: layout.rows,
                rowStride: ROW_STRIDE,
              },
            ]
          : [
              {
                name: 'logits',
                dtype: 'float32',
                shape: [1, LABELS],
                address: layout.logits,
                rowStride: LABELS,
              },
              {
                name: 'rows',
                dtype: 'float32',
                shape: [1, 'sequence', LABELS],
                address: layout.rows,
                rowStride: ROW_STRIDE,
              },
              { name: 'mode', dtype: 'int32', shape: [1], address: layout.mode, rowStride: 1 },
            ],
      macsPerToken,
    },
    tokenizer: { file: 'tokenizer.json', maxLength },
    labels: ['bad', 'fair', 'good'],
    ...(multiLabel === undefined ? {} : { multiLabel }),
    files: Object.fromEntries([...contents].map(([name, bytes]) => [name, fileEntry(bytes)])),
  };
}

function tokenizer(): Uint8Array<ArrayBuffer> {
  const file = new URL('fixtures/tokenizers/wordpiece.json', import.meta.url);
  return Uint8Array.from(readFileSync(file));
}

function weights({ ballastBytes = 0 }: TinyOptions): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(64 + TABLE_VALUES / 2 + ballastBytes).fill(1);
  file.set(new Uint8Array(bias.buffer));
  for (let i = 0; i < TABLE_VALUES; i += 2) {
    file[64 + i / 2] = ((table[i] ?? 0) & 15) | (((table[i + 1] ?? 0) & 15) << 4);
  }
  return file;
}

function program(rung: Rung, options: TinyOptions): Uint8Array<ArrayBuffer> {
  const m = new ModuleBuilder();
  const memory = memoryFor(options);
  m.importMemory('env', 'memory', {
    min: memoryPages(memory, 1),
    max: memoryPages(memory, memory.maxThreads),
  });
  const { ids, mask: masks, rows, logits, mode: modeAddress, barrier } = layoutFor(options);

  m.function('init', { params: { mode: 'i32' }, export: 'init' }, (f, { mode }) => {
    f.do(i32.store(modeAddress, mode));
  });

  const expandParams = { address: 'i32', count: 'i32', multiplier: 'i32' } as const;
  m.function('expand', { params: expandParams, export: 'expand' }, (f, { address, count, multiplier }) => {
    const from = f.let(i32.add(address, i32.shrU(count, 1)));
    const to = f.let(i32.add(address, 0));
    const end = f.let(i32.add(address, count));
    f.whileBelow(to, end, 2, () => {
      const packed = f.let(i32.load8U(from));
      const nibble = (shift: number): Expr<'i32'> =>
        i32.mul(i32.shrS(i32.shl(packed, shift), 28), multiplier);
      f.do(i32.store8(to, nibble(28)), i32.store8(to, nibble(24), 1));
      f.increment(from, 1);
    });
  });

  const runParams = { sequence: 'i32', thread: 'i32', threads: 'i32' } as const;
  m.function('run', { params: runParams, export: 'run' }, (f, { sequence, thread, threads }) => {
    if (options.traps) return f.unreachable();
    const t = f.let(i32.add(thread, 0));
    f.whileBelow(t, sequence, threads, () => {
      const id = f.let(i32.load(i32.add(i32.shl(t, 2), ids)));
      const mask = f.let(i32.load(i32.add(i32.shl(t, 2), masks)));
      for (let j = 0; j < LABELS; j++) {
        const value = i32.load8S(i32.add(i32.mul(id, COLUMNS), TABLE + j));
        const target = i32.add(i32.mul(t, ROW_STRIDE * 4), rows + j * 4);
        f.do(f32.store(target, f32.convertI32S(i32.mul(value, mask))));
      }
    });
    f.if(i32.gtS(threads, 1), () => {
      const phase = f.let(atomic.load(barrier + 4));
      f.if(
        i32.eq(atomic.add(barrier, 1), i32.sub(threads, 1)),
        () => {
          f.do(atomic.store(barrier, i32.const(0)));
          f.drop(atomic.add(barrier + 4, 1));
          f.drop(atomic.notify(barrier + 4, threads));
        },
        () => f.drop(atomic.wait32(barrier + 4, phase, i64.const(-1))),
      );
    });
    f.if(i32.eqz(thread), () => {
      for (let j = 0; j < LABELS; j++) {
        const sum = f.let(f32.load(j * 4));
        const index = f.let(i32.const(0));
        f.whileBelow(index, sequence, 1, () => {
          const row = f32.load(i32.add(i32.mul(index, ROW_STRIDE * 4), rows + j * 4));
          f.set(sum, f32.add(sum, row));
        });
        f.do(f32.store(logits + j * 4, sum));
      }
    });
  });

  if (rung === 'relaxed') {
    const probeParams = { kind: 'i32', a: 'i32', b: 'i32', out: 'i32' } as const;
    m.function('probe', { params: probeParams, export: 'probe' }, (f, { kind, a, b, out }) => {
      f.if(
        i32.eqz(kind),
        () => f.do(v128.store(out, i32x4.relaxedDotI8x16I7x16AddS(v128.load(a), v128.load(b), v128.zero()))),
        () =>
          f.do(
            v128.store(
              out,
              i32x4.extaddPairwiseI16x8S(i16x8.relaxedDotI8x16I7x16S(v128.load(a), v128.load(b))),
            ),
          ),
      );
    });
  }
  return m.finish();
}
