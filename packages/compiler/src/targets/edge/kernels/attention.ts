import {
  f32,
  f32x4,
  i32,
  i8x16,
  v128,
  type Expr,
  type FunctionBuilder,
  type FunctionRef,
  type Local,
} from '../../../wasm/index.ts';
import { emitFloatRows } from './float-tile.ts';
import { PANEL_COLUMNS } from './int8-tile.ts';
import type { KernelLibrary } from './kernel-library.ts';
import { LOG2_E, LOWEST_MAXIMUM, MASKED_SCORE } from './math-constants.ts';
import { reduceLanes, roundUp } from './vector-code.ts';
import { exp2 } from './vector-math.ts';

/**
 * The layouts that attention works on. Keys: [heads][⌈keyCapacity/8⌉][headSize][8 keys], from packKeys. Values:
 * [heads][⌈headSize/8⌉][keyCapacity][8], from packValues, or, when headSize is a multiple of 8, from a linear layer
 * with `panelRows: keyCapacity`: its [n/8][panelRows][8] is the same.
 */
export interface HeadsSpec {
  heads: number;
  headSize: number;
  /** Upper bound of the number of keys. */
  keyCapacity: number;
}

export interface AttentionSpec extends HeadsSpec {
  /** Of the scores, 1/√headSize as a rule. */
  scale: number;
  /** Floats from row to row. */
  qStride: number;
  yStride: number;
}

/** Query rows that are computed together: what is in flight (queries, scores, one panel) fits a 32 KiB cache. */
const BLOCK_ROWS = 20;

const ATTENTION_PARAMS = {
  q: 'i32',
  /** Packed keys and values. */
  keys: 'i32',
  values: 'i32',
  /** keyBias's output. */
  keyBias: 'i32',
  y: 'i32',
  /** attentionScratchBytes(spec) bytes of this thread. */
  scratch: 'i32',
  /** How many keys there are. */
  keyCount: 'i32',
  m0: 'i32',
  m1: 'i32',
} as const;

export function packedKeysBytes({ heads, headSize, keyCapacity }: HeadsSpec): number {
  return 4 * heads * headSize * roundUp(keyCapacity, PANEL_COLUMNS);
}

export function packedValuesBytes({ heads, headSize, keyCapacity }: HeadsSpec): number {
  return 4 * heads * roundUp(headSize, PANEL_COLUMNS) * keyCapacity;
}

export function keyBiasBytes(keyCapacity: number): number {
  return 4 * roundUp(keyCapacity, PANEL_COLUMNS);
}

export function attentionScratchBytes(spec: HeadsSpec): number {
  return scratchLayout(spec).bytes;
}

function scratchLayout({ headSize, keyCapacity }: HeadsSpec): {
  queryStride: number;
  scoreStride: number;
  scores: number;
  factors: number;
  bytes: number;
} {
  const queryStride = 4 * roundUp(headSize, 4);
  const scoreStride = 4 * roundUp(keyCapacity, PANEL_COLUMNS);
  const scores = BLOCK_ROWS * queryStride;
  const factors = scores + BLOCK_ROWS * scoreStride;
  return { queryStride, scoreStride, scores, factors, bytes: factors + roundUp(4 * BLOCK_ROWS, 16) };
}

/**
 * y = softmax(q·kᵀ·scale + mask)·v, head by head, for query rows [m0, m1). A dropped key has weight exactly 0; a row
 * whose keys are all dropped gets 0. y may be q. Up to 7 columns of padding behind a row of y are written when
 * headSize is not a multiple of 8.
 */
export function emitAttention(
  library: KernelLibrary,
  spec: AttentionSpec,
): FunctionRef<typeof ATTENTION_PARAMS, undefined> {
  return library.once('attention', spec, (name) => {
    const { headSize } = spec;
    const layout = scratchLayout(spec);
    const valuePanelBytes = 4 * PANEL_COLUMNS * spec.keyCapacity;
    const valuePanels = Math.ceil(headSize / PANEL_COLUMNS);
    const multiplyKeys = emitFloatRows(library, { xStride: layout.queryStride, k: headSize, finish: 'bias' });
    const multiplyValues = emitFloatRows(library, {
      xStride: layout.scoreStride,
      k: 'dynamic',
      finish: 'row factor',
    });
    const softmax = emitScoreWeights(library, layout.scoreStride);

    return library.module.function(name, { params: ATTENTION_PARAMS }, (f, p) => {
      const scores = f.let(i32.add(p.scratch, layout.scores));
      const factors = f.let(i32.add(p.scratch, layout.factors));
      const panels = f.let(i32.shrU(i32.add(p.keyCount, PANEL_COLUMNS - 1), 3));
      f.increment(p.q, i32.mul(p.m0, 4 * spec.qStride));
      f.increment(p.y, i32.mul(p.m0, 4 * spec.yStride));
      f.whileBelow(p.m0, p.m1, BLOCK_ROWS, () => {
        const left = f.let(i32.sub(p.m1, p.m0));
        const rows = f.let(left);
        f.if(i32.gtS(left, BLOCK_ROWS), () => f.set(rows, BLOCK_ROWS));
        const head = f.let(i32.const(0));
        const q = f.let(p.q);
        const y = f.let(p.y);
        const keys = f.let(p.keys);
        const values = f.let(p.values);
        f.whileBelow(head, spec.heads, 1, () => {
          emitScaleQueries(library, f, spec, { q, to: p.scratch, rows });
          f.call(multiplyKeys, {
            x: p.scratch,
            w: keys,
            wStride: 4 * PANEL_COLUMNS * headSize,
            y: scores,
            yStride: layout.scoreStride,
            extra: p.keyBias,
            k: headSize,
            panels,
            rows,
          });
          f.call(softmax, { scores, factors, panels, rows });
          f.call(multiplyValues, {
            x: scores,
            w: values,
            wStride: valuePanelBytes,
            y,
            yStride: 4 * spec.yStride,
            extra: factors,
            k: p.keyCount,
            panels: valuePanels,
            rows,
          });
          f.increment(q, 4 * headSize);
          f.increment(y, 4 * headSize);
          f.increment(keys, packedKeysBytes(spec) / spec.heads);
          f.increment(values, valuePanels * valuePanelBytes);
        });
        f.increment(p.q, 4 * spec.qStride * BLOCK_ROWS);
        f.increment(p.y, 4 * spec.yStride * BLOCK_ROWS);
      });
    });
  });
}

/** Copies one head of some query rows, times scale·log2 e: the scores come out ready for exp2. */
function emitScaleQueries(
  library: KernelLibrary,
  f: FunctionBuilder,
  spec: AttentionSpec,
  p: { q: Local<'i32'>; to: Local<'i32'>; rows: Local<'i32'> },
): void {
  const { queryStride } = scratchLayout(spec);
  const from = f.let(p.q);
  const to = f.let(p.to);
  const end = f.let(i32.add(p.to, i32.mul(p.rows, queryStride)));
  const column = f.local('i32');
  f.whileBelow(to, end, queryStride, () => {
    f.set(column, 0);
    f.whileBelow(column, queryStride, 16, () => {
      const scaled = f32x4.mul(v128.load(i32.add(from, column)), library.splat(spec.scale * LOG2_E));
      f.do(v128.store(i32.add(to, column), scaled));
    });
    f.increment(from, 4 * spec.qStride);
  });
}

const SOFTMAX_PARAMS = { scores: 'i32', factors: 'i32', panels: 'i32', rows: 'i32' } as const;

/**
 * Turns rows of scores (base 2, dropped keys at MASKED_SCORE) into weights 2^(score − maximum), and writes the factor
 * 1/Σ of each row: the product with the values is normalized, not every weight.
 */
function emitScoreWeights(
  library: KernelLibrary,
  stride: number,
): FunctionRef<typeof SOFTMAX_PARAMS, undefined> {
  return library.once('score weights', { stride }, (name) =>
    library.module.function(name, { params: SOFTMAX_PARAMS }, (f, p) => {
      const lanes = [f.local('v128'), f.local('v128')] as const;
      const at = f.local('i32');
      const end = f.local('i32');
      f.whileBelow(f.local('i32'), p.rows, 1, () => {
        f.set(end, i32.add(p.scores, i32.shl(p.panels, 5)));
        f.set(at, p.scores);
        for (const vector of lanes) f.set(vector, library.splat(LOWEST_MAXIMUM));
        f.whileBelow(at, end, 32, () => {
          for (const half of [0, 1] as const) {
            f.set(lanes[half], f32x4.pmax(lanes[half], v128.load(at, 16 * half)));
          }
        });
        const maximum = f.let(f32x4.splat(reduceLanes(f, f32x4.pmax(lanes[0], lanes[1]), f32x4.pmax)));
        f.set(at, p.scores);
        for (const vector of lanes) f.set(vector, v128.zero());
        f.whileBelow(at, end, 32, () => {
          const distances = lanes.map((_, half) =>
            f.let(f32x4.pmax(library.splat(-127), f32x4.sub(v128.load(at, 16 * half), maximum))),
          );
          exp2(library, f, distances).forEach((weight, half) => {
            const lane = lanes[half as 0 | 1];
            f.do(v128.store(at, weight, 16 * half));
            f.set(lane, f32x4.add(lane, weight));
          });
        });
        // The largest key contributes exactly 1, so a sum below 1 means that all keys are dropped.
        const sum = reduceLanes(f, f32x4.add(lanes[0], lanes[1]), f32x4.add);
        f.do(f32.store(p.factors, f32.div(f32.const(1), f32.max(sum, f32.const(1)))));
        f.increment(p.factors, 4);
        f.increment(p.scores, stride);
      });
    }),
  );
}

const KEY_BIAS_PARAMS = { mask: 'i32', bias: 'i32', keyCount: 'i32' } as const;

/**
 * Writes what is added to each key's score: 0, or MASKED_SCORE for dropped keys and for those that fill up the last
 * panel of 8. `mask` is one i32 or f32 per key (0 drops it), unused with 'none'. Once per run, by one thread.
 */
export function emitKeyBias(
  library: KernelLibrary,
  spec: { mask: 'i32' | 'f32' | 'none' },
): FunctionRef<typeof KEY_BIAS_PARAMS, undefined> {
  return library.once('key bias', spec, (name) =>
    library.module.function(name, { params: KEY_BIAS_PARAMS }, (f, p) => {
      const at = f.let(i32.const(0));
      const end = f.let(i32.shl(p.keyCount, 2));
      const paddedEnd = i32.and(i32.add(end, 4 * PANEL_COLUMNS - 1), -4 * PANEL_COLUMNS);
      const store = (value: number): void => f.do(f32.store(i32.add(p.bias, at), f32.const(value)));
      const maskAt = i32.add(p.mask, at);
      const keeps: Expr<'i32'> =
        spec.mask === 'f32' ? f32.ne(f32.load(maskAt), f32.const(0)) : i32.load(maskAt);
      f.whileBelow(at, end, 4, () => {
        if (spec.mask === 'none') store(0);
        else
          f.if(
            keeps,
            () => store(0),
            () => store(MASKED_SCORE),
          );
      });
      f.whileBelow(at, paddedEnd, 4, () => store(MASKED_SCORE));
    }),
  );
}

const PACK_PARAMS = { x: 'i32', packed: 'i32', keyCount: 'i32', m0: 'i32', m1: 'i32' } as const;

export interface PackSpec extends HeadsSpec {
  /** Floats from row to row of x. */
  xStride: number;
}

/**
 * Packs key rows [m0, m1) of x for attention; whoever packs the last row (m1 = keyCount) also zeroes the rows that
 * fill up the last panel. Threads may pack any ranges side by side.
 */
export function emitPackKeys(
  library: KernelLibrary,
  spec: PackSpec,
): FunctionRef<typeof PACK_PARAMS, undefined> {
  return library.once('pack keys', spec, (name) =>
    library.module.function(name, { params: PACK_PARAMS }, (f, p) => {
      const row = f.let(p.m0);
      const x = f.local('i32');
      const to = f.local('i32');
      const locate = (): void => {
        // Key r is lane r mod 8 of panel ⌊r / 8⌋.
        const panel = i32.mul(i32.shrU(row, 3), 4 * PANEL_COLUMNS * spec.headSize);
        f.set(to, i32.add(p.packed, i32.add(panel, i32.shl(i32.and(row, 7), 2))));
        f.set(x, i32.add(p.x, i32.mul(row, 4 * spec.xStride)));
      };
      const fourAtOnce = spec.headSize % 4 === 0;
      f.whileBelow(row, p.m1, 1, () => {
        locate();
        const single = (): void => emitPackKeyRow(f, spec, { x, to });
        if (!fourAtOnce) return single();
        const isWhole = i32.and(i32.eqz(i32.and(row, 3)), i32.leS(i32.add(row, 4), p.m1));
        f.if(
          isWhole,
          () => {
            emitPackFourKeys(f, spec, { x, to });
            f.increment(row, 3);
          },
          single,
        );
      });
      f.if(i32.eq(p.m1, p.keyCount), () => {
        const end = i32.and(i32.add(p.keyCount, PANEL_COLUMNS - 1), -PANEL_COLUMNS);
        f.set(row, p.keyCount);
        f.whileBelow(row, end, 1, () => {
          locate();
          emitPackKeyRow(f, spec, { x: undefined, to });
        });
      });
    }),
  );
}

/** One key, float by float; zeros without x. Advances x and to. */
function emitPackKeyRow(
  f: FunctionBuilder,
  { heads, headSize, keyCapacity }: HeadsSpec,
  { x, to }: { x: Local<'i32'> | undefined; to: Local<'i32'> },
): void {
  const headBytes = packedKeysBytes({ heads: 1, headSize, keyCapacity });
  const head = f.let(i32.const(0));
  const end = f.local('i32');
  f.whileBelow(head, heads, 1, () => {
    f.set(end, i32.add(to, 4 * PANEL_COLUMNS * headSize));
    f.whileBelow(to, end, 4 * PANEL_COLUMNS, () => {
      f.do(f32.store(to, x ? f32.load(x) : f32.const(0)));
      if (x) f.increment(x, 4);
    });
    f.increment(to, headBytes - 4 * PANEL_COLUMNS * headSize);
  });
}

const LANES_0_4_1_5 = [0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23];
const LANES_2_6_3_7 = [8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31];
const LOW_HALVES = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
const HIGH_HALVES = [8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31];

/** Four neighbouring keys of one half panel, by 4 × 4 transposition. Advances x and to. */
function emitPackFourKeys(
  f: FunctionBuilder,
  spec: PackSpec,
  { x, to }: { x: Local<'i32'>; to: Local<'i32'> },
): void {
  const { heads, headSize, keyCapacity, xStride } = spec;
  const headBytes = packedKeysBytes({ heads: 1, headSize, keyCapacity });
  const head = f.let(i32.const(0));
  const end = f.local('i32');
  f.whileBelow(head, heads, 1, () => {
    f.set(end, i32.add(to, 4 * PANEL_COLUMNS * headSize));
    f.whileBelow(to, end, 16 * PANEL_COLUMNS, () => {
      const [a, b, c, d] = [0, 1, 2, 3].map((key) => f.let(v128.load(x, 4 * xStride * key))) as [
        Local<'v128'>,
        Local<'v128'>,
        Local<'v128'>,
        Local<'v128'>,
      ];
      const pairs = [
        [i8x16.shuffle(a, b, LANES_0_4_1_5), i8x16.shuffle(c, d, LANES_0_4_1_5)],
        [i8x16.shuffle(a, b, LANES_2_6_3_7), i8x16.shuffle(c, d, LANES_2_6_3_7)],
      ] as const;
      pairs.forEach(([ab, cd], index) => {
        const low = f.let(ab);
        const high = f.let(cd);
        const offset = 8 * PANEL_COLUMNS * index;
        f.do(v128.store(to, i8x16.shuffle(low, high, LOW_HALVES), offset));
        f.do(v128.store(to, i8x16.shuffle(low, high, HIGH_HALVES), offset + 4 * PANEL_COLUMNS));
      });
      f.increment(x, 16);
    });
    f.increment(to, headBytes - 4 * PANEL_COLUMNS * headSize);
  });
}

/** Packs value rows [m0, m1) of x for attention. `keyCount` is unused. */
export function emitPackValues(
  library: KernelLibrary,
  spec: PackSpec,
): FunctionRef<typeof PACK_PARAMS, undefined> {
  return library.once('pack values', spec, (name) =>
    library.module.function(name, { params: PACK_PARAMS }, (f, p) => {
      const panelBytes = 4 * PANEL_COLUMNS * spec.keyCapacity;
      const panels = Math.ceil(spec.headSize / PANEL_COLUMNS);
      const head = f.local('i32');
      const panel = f.local('i32');
      const x = f.local('i32');
      const to = f.local('i32');
      f.whileBelow(p.m0, p.m1, 1, () => {
        f.set(to, i32.add(p.packed, i32.shl(p.m0, 5)));
        f.set(head, 0);
        f.whileBelow(head, spec.heads, 1, () => {
          f.set(x, i32.add(p.x, i32.add(i32.mul(p.m0, 4 * spec.xStride), i32.mul(head, 4 * spec.headSize))));
          f.set(panel, 0);
          f.whileBelow(panel, panels, 1, () => {
            for (const offset of [0, 16]) f.do(v128.store(to, v128.load(x, offset), offset));
            f.increment(x, 4 * PANEL_COLUMNS);
            f.increment(to, panelBytes);
          });
        });
      });
    }),
  );
}
