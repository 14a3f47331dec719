import { seededRandom } from '../../../test-utils/src/seeded-random.ts';
import {
  attentionScratchBytes,
  emitAttention,
  emitEmbedLayerNorm,
  emitKeyBias,
  emitPackKeys,
  emitPackValues,
  keyBiasBytes,
  packedKeysBytes,
  packedValuesBytes,
  quantizedRowBytes,
  type EmbedLayerNormSpec,
  type Rung,
} from '../../src/targets/edge/kernels/index.ts';
import * as reference from '../../src/targets/edge/reference/index.ts';
import { expectSame, type KernelCase } from './case.ts';
import { KernelRig, type RigMemory } from './harness.ts';
import { padded, rowRanges, paddedTo8 } from './random-rows.ts';

// Attention and embeddings, as cases.ts.

interface AttentionOptions {
  heads: number;
  headSize: number;
  keys: number;
  queries: number;
  mask: 'none' | 'some' | 'all';
}

export function attentionCase(rung: Rung, seed: number, options: AttentionOptions): KernelCase {
  const { heads, headSize, keys, queries, mask } = options;
  return {
    name: `attention ${heads}x${headSize} ${queries} of ${keys} keys, mask ${mask} seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const hidden = heads * headSize;
      const stride = padded(hidden) + 8;
      const scale = 1 / Math.sqrt(headSize);
      const heading = { heads, headSize, keyCapacity: keys + random.pick([0, 1, 5]) };
      const [q, k, v] = [
        random.normal(queries * hidden, 0, 2),
        random.normal(keys * hidden, 0, 2),
        random.normal(keys * hidden),
      ];
      const keep = Array.from({ length: keys }, () => mask === 'none' || (mask === 'some' && random() < 0.6));
      const packKeys = emitterOf(rung, (library) => emitPackKeys(library, { ...heading, xStride: stride }));
      const packValues = emitterOf(rung, (library) =>
        emitPackValues(library, { ...heading, xStride: stride }),
      );
      const keyBias = emitterOf(rung, (library) =>
        emitKeyBias(library, { mask: mask === 'none' ? 'none' : 'i32' }),
      );
      const rig = new KernelRig(rung, (library) =>
        emitAttention(library, { ...heading, scale, qStride: stride, yStride: stride }),
      );
      const args = {
        q: rig.put(q, hidden, stride),
        keys: rig.allocate(packedKeysBytes(heading)),
        values: rig.allocate(packedValuesBytes(heading)),
        keyBias: rig.allocate(keyBiasBytes(heading.keyCapacity)),
        y: rig.allocate(4 * queries * stride),
        scratch: rig.allocate(attentionScratchBytes(heading)),
        keyCount: keys,
      };
      const [kRows, vRows] = [rig.put(k, hidden, stride), rig.put(v, hidden, stride)];
      const maskValues = rig.put(Int32Array.from(keep, Number));
      for (const [m0, m1] of rowRanges(keys)) {
        packKeys(rig.memory, { x: kRows, packed: args.keys, keyCount: keys, m0, m1 });
        packValues(rig.memory, { x: vRows, packed: args.values, keyCount: keys, m0, m1 });
      }
      keyBias(rig.memory, { mask: maskValues, bias: args.keyBias, keyCount: keys });
      for (const [m0, m1] of rowRanges(queries)) rig.call({ ...args, m0, m1 });
      const expected = reference.attention(q, k, v, { heads, headSize, scale }, keep);
      expectSame(rig.floats(args.y, queries, hidden, stride), expected, 'y');
      if (mask === 'all' && expected.some((value) => value !== 0)) throw new Error('all dropped, but not 0');
      rig.checkGuards();
    },
  };
}

/** Another kernel, to be run on the memory of a rig. */
function emitterOf<P extends Parameters<typeof KernelRig.prototype.call>[0]>(
  rung: Rung,
  emit: ConstructorParameters<typeof KernelRig>[1],
): (memory: WebAssembly.Memory, args: P) => void {
  const { bytes, paramNames } = new KernelRig(rung, emit);
  const module = new WebAssembly.Module(bytes);
  return (memory, args) => {
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    const kernel = exports['kernel'] as (...values: number[]) => void;
    kernel(...paramNames.map((name) => (args as Record<string, number>)[name] as number));
  };
}

export function embedCase(rung: Rung, seed: number): KernelCase {
  return {
    name: `embedLayerNorm seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const n = random.pick([3, 8, 20, 64]);
      const rows = random.int(1, 12);
      const storages = ['f32', 'int8', 'int4'] as const;
      const makeTable = (
        tableRows: number,
      ): { storage: (typeof storages)[number]; table: reference.Table } => {
        const storage = random.pick(storages);
        if (storage === 'f32') return { storage, table: { values: random.normal(tableRows * n) } };
        const limit = storage === 'int8' ? 127 : 7;
        const values = Int8Array.from({ length: tableRows * n }, () => random.int(-limit - 1, limit));
        return { storage, table: { values, scale: random.uniform(tableRows, 0.001, 0.1) } };
      };
      const tables = [makeTable(11), makeTable(2), makeTable(20)] as const;
      const positions: EmbedLayerNormSpec['positions'] =
        seed % 2 === 0 ? { kind: 'arange' } : { kind: 'offset-nonpad', paddingIndex: 1 };
      const ids = Int32Array.from({ length: rows }, () => random.pick([0, 1, 1, 2, 5, 10, 11, -1]));
      const types = Int32Array.from({ length: rows }, () => random.int(0, 1));
      const normalization = { n, epsilon: 1e-5, gamma: random.normal(n, 1), beta: random.normal(n) };
      const rig = new KernelRig(rung, (library) =>
        emitEmbedLayerNorm(library, {
          n,
          epsilon: 1e-5,
          word: { rows: 11, storage: tables[0].storage },
          ...(seed % 3 ? { tokenType: { rows: 2, storage: tables[1].storage } } : {}),
          ...(seed % 5 ? { position: { rows: 20, storage: tables[2].storage } } : {}),
          positions,
          yStride: padded(n),
          quantization: { kind: 'dynamic' },
        }),
      );
      const [word, type, position] = tables.map(({ storage, table }) => putTable(rig, storage, table, n));
      const args = {
        ids: rig.put(ids),
        tokenTypes: rig.put(types),
        word: word?.address ?? 0,
        wordScale: word?.scale ?? 0,
        tokenType: type?.address ?? 0,
        tokenTypeScale: type?.scale ?? 0,
        position: position?.address ?? 0,
        positionScale: position?.scale ?? 0,
        gamma: rig.put(paddedTo8(normalization.gamma)),
        beta: rig.put(paddedTo8(normalization.beta)),
        y: rig.allocate(4 * rows * padded(n)),
        bytes: rig.allocate(rows * quantizedRowBytes(n)),
        rowScale: rig.allocate(4 * rows),
        rowZero: rig.allocate(4 * rows),
      };
      for (const [m0, m1] of rowRanges(rows)) rig.call({ ...args, m0, m1 });
      const expected = reference.embedLayerNorm(
        {
          ids,
          word: tables[0].table,
          positions,
          ...(seed % 3 ? { tokenTypes: { ids: types, table: tables[1].table } } : {}),
          ...(seed % 5 ? { position: tables[2].table } : {}),
        },
        normalization,
      );
      expectSame(rig.floats(args.y, rows, n, padded(n)), expected, 'y');
      const quantized = reference.quantizeRows(expected, rows, n, { kind: 'dynamic' });
      expectSame(rig.floats(args.rowScale, 1, rows, rows), quantized.scale, 'row scale');
      rig.checkGuards();
    },
  };
}

function putTable(
  rig: RigMemory,
  storage: 'f32' | 'int8' | 'int4',
  { values, scale }: reference.Table,
  n: number,
): { address: number; scale: number } {
  const address =
    storage === 'int4' ? rig.put(nibbles(values, n), padded(n) / 2) : rig.put(values, n, padded(n));
  return { address, scale: scale ? rig.put(scale) : 0 };
}

function nibbles(values: ArrayLike<number>, n: number): Uint8Array {
  const rows = values.length / n;
  const bytes = new Uint8Array((rows * padded(n)) / 2);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < n; column++) {
      const at = (row * padded(n)) / 2 + (column >> 1);
      bytes[at]! |= ((values[row * n + column] as number) & 15) << (4 * (column & 1));
    }
  }
  return bytes;
}
