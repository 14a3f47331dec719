import { expectTensorClose, seededRandom, type SeededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import {
  denseTensor,
  float32Tensor,
  int64Tensor,
  parseModel,
  typedData,
  type DenseTensor,
  type Tensor,
} from '../ir/index.ts';
import { gelu } from './activations.ts';
import { evaluateModel } from './evaluate-model.ts';
import { tensorNumbers } from './nd-array.ts';

const f = Math.fround;

/** Runs one node of the compact graph on constants; an undefined input is omitted. */
function run(call: string, inputs: Readonly<Record<string, Tensor | undefined>>): Float32Array {
  const given = Object.entries(inputs).flatMap(([name, tensor]) => (tensor ? [[name, tensor] as const] : []));
  const declarations = given.map(([name, { dtype, dims }]) => `  input ${name}: ${dtype}[${dims.join()}]`);
  const names = Object.entries(inputs).map(([name, tensor]) => (tensor ? name : '_'));
  const [operator, attributes = ''] = call.split(' | ');
  const text = `graph main {\n${declarations.join('\n')}\n  y = edgewise.${operator}(${names.join(', ')}) ${attributes}\n  output y\n}`;
  const result = evaluateModel(parseModel(text), new Map(given)).get('y');
  return typedData(result as DenseTensor & { dtype: 'float32' });
}

interface QuantizedCase {
  readonly rows: number;
  readonly k: number;
  readonly n: number;
  readonly bits: 4 | 7 | 8;
  readonly bias: boolean;
  readonly fixed: boolean;
}

/** docs/architecture.md, section 5, written out once more: one number at a time. */
function quantizedLinear(
  { rows, k, n, bias, fixed, bits }: QuantizedCase,
  x: Float32Array,
  q: Int8Array,
  scales: Float32Array,
  biases: Float32Array,
  multiplier: Uint8Array,
  constant: { scale: number; zero: number },
): Float32Array {
  const even = (v: number): number => {
    const low = Math.floor(v);
    return v - low === 0.5 ? low + (low & 1) : Math.round(v);
  };
  const clamp = (v: number): number => Math.min(255, Math.max(0, v));
  const out = new Float32Array(rows * n);
  for (let r = 0; r < rows; r++) {
    const row = x.slice(r * k, (r + 1) * k);
    const [low, high] = [Math.min(0, ...row), Math.max(0, ...row)];
    const range = f(high - low);
    const scale = fixed ? constant.scale : range === 0 ? 1 : f(range / 255);
    const inverse = f(1 / scale);
    const zero = fixed ? constant.zero : clamp(even(f(-low * inverse)));
    for (let c = 0; c < n; c++) {
      let sum = 0n;
      for (let i = 0; i < k; i++) {
        const weight = (q[i * n + c] ?? 0) * (bits === 4 ? (multiplier[Math.floor(i / 32) * n + c] ?? 0) : 1);
        const activation = clamp(even(f((row[i] ?? 0) * inverse)) + zero);
        sum += BigInt(activation - zero) * BigInt(weight);
      }
      const scaled = f(f(f(Number(sum)) * scale) * (scales[c] ?? 0));
      out[r * n + c] = bias ? f(scaled + (biases[c] ?? 0)) : scaled;
    }
  }
  return out;
}

function packNibbles(values: Int8Array): Uint8Array {
  const out = new Uint8Array(Math.ceil(values.length / 2));
  for (const [i, value] of values.entries())
    out[i >> 1] = (out[i >> 1] ?? 0) | ((value & 15) << ((i % 2) * 4));
  return out;
}

function integers(random: SeededRandom, length: number, low: number, high: number): Int8Array {
  return Int8Array.from({ length }, () => random.int(low, high));
}

describe('QuantizedLinear', () => {
  const cases: QuantizedCase[] = [
    { rows: 3, k: 40, n: 5, bits: 8, bias: true, fixed: false },
    { rows: 2, k: 33, n: 9, bits: 7, bias: false, fixed: false },
    { rows: 4, k: 64, n: 8, bits: 4, bias: true, fixed: false },
    { rows: 1, k: 1, n: 1, bits: 8, bias: true, fixed: false },
    { rows: 5, k: 17, n: 3, bits: 7, bias: true, fixed: true },
    { rows: 2, k: 70, n: 4, bits: 4, bias: false, fixed: true },
  ];

  it.each(cases)('is exact for %j', (sample) => {
    const { rows, k, n, bits, bias, fixed } = sample;
    const random = seededRandom(rows * 1000 + k * 10 + n);
    const x = random.normal(rows * k, 0.5, 3);
    x.fill(0, 0, Math.min(k, rows > 1 ? k : 0)); // a row of zeros
    const limit = bits === 7 ? 63 : bits === 8 ? 127 : 7;
    const q = integers(random, k * n, -limit, limit);
    const multiplier = Uint8Array.from({ length: Math.ceil(k / 32) * n }, () => random.int(1, 15));
    const [scales, biases] = [random.uniform(n, 1e-3, 1e-2), random.normal(n)];
    const constant = { scale: f(0.07), zero: 119 };
    const weight: Tensor =
      bits === 4
        ? { kind: 'dense', dtype: 'int4', dims: [k, n], data: packNibbles(q) }
        : denseTensor('int8', [k, n], q);
    const actual = run(`QuantizedLinear | weight_bits=${bits}`, {
      x: float32Tensor([rows, k], x),
      w: weight,
      s: float32Tensor([n], scales),
      b: bias ? float32Tensor([n], biases) : undefined,
      m: bits === 4 ? denseTensor('uint8', [Math.ceil(k / 32), n], multiplier) : undefined,
      ...(fixed && {
        xs: float32Tensor([], [constant.scale]),
        xz: denseTensor('uint8', [], Uint8Array.of(constant.zero)),
      }),
    });
    expect(actual).toEqual(quantizedLinear(sample, x, q, scales, biases, multiplier, constant));
  });

  it('applies the activation to the rounded sum', () => {
    const x = float32Tensor([1, 2], [1, -2]);
    const w = denseTensor('int8', [2, 2], Int8Array.of(3, -5, 7, 11));
    const s = float32Tensor([2], [0.1, 0.2]);
    const plain = run('QuantizedLinear | weight_bits=8', { x, w, s });
    const activated = run('QuantizedLinear | weight_bits=8 activation="gelu"', { x, w, s });
    expect(activated).toEqual(plain.map((value) => gelu(value)));
  });
});

describe('Linear', () => {
  it('multiplies, adds and activates', () => {
    const x = float32Tensor([1, 1, 2], [1, 2]);
    const weight = float32Tensor([2, 2], [1, -1, 1, -2]);
    const bias = float32Tensor([2], [0.5, 0.5]);
    expect(run('Linear | activation="relu"', { x, weight, bias })).toEqual(Float32Array.of(3.5, 0));
    expect(run('Linear', { x, weight })).toEqual(Float32Array.of(3, -5));
    expect(() => run('Linear | activation="swoosh"', { x, weight })).toThrow('unknown activation "swoosh"');
  });
});

describe('Attention', () => {
  const [batch, length, heads, depth] = [2, 5, 2, 3];
  const width = heads * depth;

  /** softmax(q·kᵀ·scale)·v over the kept keys of one query and head, in double precision. */
  function attend(
    q: Float32Array,
    k: Float32Array,
    v: Float32Array,
    keep: number[],
    scale: number,
  ): Float32Array {
    return Float32Array.from({ length: batch * length * width }, (_, i) => {
      const [b, s, h, d] = [
        Math.floor(i / (length * width)),
        Math.floor(i / width) % length,
        Math.floor((i % width) / depth),
        i % depth,
      ];
      const at = (row: number, c: number): number => (b * length + row) * width + h * depth + c;
      const kept = [...Array(length).keys()].filter((t) => keep[b * length + t]);
      const scores = kept.map((t) => {
        let dot = 0;
        for (let c = 0; c < depth; c++) dot += (q[at(s, c)] ?? 0) * (k[at(t, c)] ?? 0);
        return Math.exp(dot * scale);
      });
      const total = scores.reduce((a, c) => a + c, 0);
      return kept.reduce((sum, t, j) => sum + ((scores[j] ?? 0) / total) * (v[at(t, d)] ?? 0), 0);
    });
  }

  it('drops masked keys exactly, and gives 0 where all are dropped', () => {
    const random = seededRandom(4);
    const count = batch * length * width;
    const [q, k, v] = [random.normal(count), random.normal(count), random.normal(count)];
    const keep = [1, 0, 1, 1, 0, 0, 0, 0, 0, 0];
    const expected = attend(q, k, v, keep, 0.7);
    // What a dropped key holds must not matter.
    v.fill(NaN, width, 2 * width);
    const tensor = (data: Float32Array): Tensor => float32Tensor([batch, length, width], data);
    const actual = run(`Attention | num_heads=${heads} scale=0.7`, {
      q: tensor(q),
      k: tensor(k),
      v: tensor(v),
      mask: int64Tensor([batch, length], keep),
    });
    expectTensorClose(actual, expected, { abs: 1e-6 });
    expect(actual.slice(length * width)).toEqual(new Float32Array(length * width));
  });
});

describe('EmbedLayerNorm', () => {
  const word = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i));
  const position = Float32Array.from({ length: 12 }, (_, i) => Math.cos(i));
  const gamma = float32Tensor([2], [1, 2]);
  const beta = float32Tensor([2], [0, 1]);

  function normalized(rows: readonly (readonly [number, number])[]): number[] {
    return rows.flatMap(([a, b]) => {
      const [x, y] = [
        f((word[2 * a] ?? 0) + (position[2 * b] ?? 0)),
        f((word[2 * a + 1] ?? 0) + (position[2 * b + 1] ?? 0)),
      ];
      const [mean, half] = [(x + y) / 2, (x - y) / 2];
      const scale = 1 / Math.sqrt(half * half + 1e-5);
      return [(x - mean) * scale, (y - mean) * scale * 2 + 1];
    });
  }

  const tables = { word: float32Tensor([6, 2], word), position: float32Tensor([6, 2], position) };

  it('counts positions from 0, or RoBERTa’s way over the tokens that are not padding', () => {
    const ids = int64Tensor([2, 3], [4, 5, 1, 1, 3, 2]);
    const inputs = { ids, types: undefined, ...tables, typeTable: undefined, gamma, beta };
    const plain = run('EmbedLayerNorm | position="arange" epsilon=1e-5', inputs);
    expectTensorClose(plain, normalized([[4, 0], [5, 1], [1, 2], [1, 0], [3, 1], [2, 2]]), { abs: 1e-6 }); // prettier-ignore
    const roberta = run('EmbedLayerNorm | position="offset-nonpad" padding_index=1 epsilon=1e-5', inputs);
    expectTensorClose(roberta, normalized([[4, 2], [5, 3], [1, 1], [1, 1], [3, 2], [2, 3]]), { abs: 1e-6 }); // prettier-ignore
  });

  it('reads quantized tables by row scale', () => {
    const scales = float32Tensor([2], [0.5, 0.25]);
    const q = denseTensor('int8', [2, 2], Int8Array.of(2, -4, 8, 12));
    const ids = int64Tensor([1, 2], [1, 0]);
    const shared = { types: undefined, positions: undefined, typeTable: undefined, gamma, beta };
    const call = 'EmbedLayerNorm | epsilon=1e-5';
    const { types, positions, typeTable } = shared;
    const actual = run(call, { ids, types, q, positions, typeTable, gamma, beta, scales });
    const real = float32Tensor([2, 2], [1, -2, 2, 3]);
    expect(actual).toEqual(run(call, { ids, types, real, positions, typeTable, gamma, beta }));
  });

  it('refuses ids outside the table', () => {
    const ids = int64Tensor([1, 1], [6]);
    expect(() =>
      run('EmbedLayerNorm', { ids, types: undefined, ...tables, t: undefined, gamma, beta }),
    ).toThrow('The id 6 is outside an embedding table of 6 rows');
  });
});

describe('Gelu and LayerNorm', () => {
  it('are what their ONNX counterparts are', () => {
    const x = float32Tensor([2, 4], seededRandom(9).normal(8));
    const gamma = float32Tensor([4], [1, 2, 3, 4]);
    const beta = float32Tensor([4], [4, 3, 2, 1]);
    const model = parseModel(`graph main {
      input x: float32[2,4]
      input g: float32[4]
      input b: float32[4]
      n = LayerNormalization(x, g, b) epsilon=0.001
      e = Gelu(n) approximate="tanh"
      output e
    }`);
    const expected = evaluateModel(model, new Map([['x', x], ['g', gamma], ['b', beta]])).get('e'); // prettier-ignore
    const norm = float32Tensor([2, 4], run('LayerNorm | epsilon=0.001', { x, gamma, beta }));
    expect(run('Gelu | approximate="tanh"', { norm })).toEqual(tensorNumbers(expected as Tensor));
    const zero = float32Tensor([2, 4], new Float32Array(8));
    expect(run('AddLayerNorm | epsilon=0.001', { x, zero, gamma, beta })).toEqual(tensorNumbers(norm));
  });
});
