import { describe, expect, it } from 'vitest';
import { parseModel } from '../ir/index.ts';
import { inferTypes, type InferOptions } from './infer-types.ts';

function shapesOf(text: string, options?: InferOptions): Record<string, readonly unknown[] | undefined> {
  const { types } = inferTypes(parseModel(text), options);
  return Object.fromEntries([...types].map(([name, type]) => [name, type.shape]));
}

/** How PyTorch's legacy exporter splits heads: the target of a Reshape is computed from a Shape. */
const HEADS = `graph main {
  input x: float32[batch,seq,32]
  constant zero: int64[] {0}
  constant one: int64[] {1}
  constant axis: int64[1] {0}
  constant heads: int64[1] {4}
  constant rest: int64[1] {-1}
  shape = Shape(x)
  b = Gather(shape, zero)
  s = Gather(shape, one)
  b1 = Unsqueeze(b, axis)
  s1 = Unsqueeze(s, axis)
  target = Concat(b1, s1, heads, rest) axis=0
  split = Reshape(x, target)
  moved = Transpose(split) perm=[0, 2, 1, 3]
  turned = Transpose(split) perm=[0, 2, 3, 1]
  scores = MatMul(moved, turned)
  output scores
}`;

describe('inferTypes', () => {
  it('follows shape computations with symbols', () => {
    const shapes = shapesOf(HEADS);
    expect(shapes['split']).toEqual(['batch', 'seq', 4, 8]);
    expect(shapes['scores']).toEqual(['batch', 4, 'seq', 'seq']);
  });

  it('takes given input shapes, and numbers for symbols whose bounds are equal', () => {
    const bounds = new Map([['batch', { min: 1, max: 1 }], ['seq', { min: 1, max: 128 }]]); // prettier-ignore
    expect(shapesOf(HEADS, { bounds })['scores']).toEqual([1, 4, 'seq', 'seq']);
    const inputShapes = new Map([['x', [2, '2*n', 32]]]);
    expect(shapesOf(HEADS, { inputShapes })['scores']).toEqual([2, 4, '2*n', '2*n']);
  });

  it('uses bounds: two symbols above 1 must be equal, and a slice must fit its axis', () => {
    const model = parseModel(`graph main {
      input x: float32[a]
      input y: float32[b]
      input ids: int64[1,a]
      constant table: float32[1,64] random(1)
      constant zero: int64[1] {0}
      constant one: int64[1] {1}
      sum = Add(x, y)
      shape = Shape(ids)
      length = Gather(shape, one)
      positions = Slice(table, zero, length, one) @positions
      output sum
    }`);
    expect(inferTypes(model).types.get('sum')?.shape).toEqual([null]);
    const bounds = new Map([['a', { min: 2, max: 128 }], ['b', { min: 2, max: 9 }]]); // prettier-ignore
    const { types, diagnostics } = inferTypes(model, { bounds });
    expect(types.get('sum')?.shape).toEqual(['a']);
    expect(diagnostics).toMatchObject([
      {
        message: 'Slice: the slice ends at a, up to 128, but the axis has 64 elements.',
        at: { node: 'positions' },
      },
    ]);
  });

  it('follows masks: Range, Expand, Where, Equal, ConstantOfShape, Slice', () => {
    const shapes = shapesOf(`graph main {
      input mask: int64[batch,seq]
      input table: float32[1,512]
      constant zero: int64[] {0}
      constant one: int64[] {1}
      constant minus: int64[4] {-1, -1, -1, -1}
      constant i0: int64[1] {0}
      constant i1: int64[1] {1}
      constant sizes: int64[1] {4}
      shape = Shape(mask)
      b = Gather(shape, zero)
      s = Gather(shape, one)
      b1 = Unsqueeze(b, i0)
      s1 = Unsqueeze(s, i0)
      positions = Range(zero, s, one)
      wanted = Concat(b1, i1, s1, s1) axis=0
      unknown = Equal(wanted, minus)
      ones = ConstantOfShape(sizes) value=int64[1] {1}
      target = Where(unknown, ones, wanted)
      axes12 = Constant() value=int64[2] {1, 2}
      mask4 = Unsqueeze(mask, axes12)
      full = Expand(mask4, target)
      part = Slice(table, i0, s1, i1)
      doubled = Add(s1, s1)
      tail = Slice(table, s1, doubled, i1)
      output full
    }`);
    expect(shapes['positions']).toEqual(['seq']);
    expect(shapes['full']).toEqual(['batch', 1, 'seq', 'seq']);
    expect(shapes['part']).toEqual([1, 'seq']);
    expect(shapes['tail']).toEqual([1, 'seq']);
  });

  it('gives strided convolutions over symbolic sizes comparable extents', () => {
    const shapes = shapesOf(`graph main {
      input x: float32[n,3,h,w]
      constant k: float32[8,3,3,3] random(1)
      constant d: float32[8,1,3,3] random(2)
      c = Conv(x, k) strides=[2, 2] pads=[1, 1, 1, 1]
      e = Conv(c, d) group=8 pads=[1, 1, 1, 1]
      r = Add(c, e)
      g = GlobalAveragePool(r)
      p = MaxPool(x) kernel_shape=[2, 2] strides=[2, 2]
      output g
    }`);
    expect(shapes['r']).toEqual(['n', 8, '"floor((h+1)/2)"', '"floor((w+1)/2)"']);
    expect(shapes['g']).toEqual(['n', 8, 1, 1]);
    expect(shapes['p']).toEqual(['n', 3, '"floor((h)/2)"', '"floor((w)/2)"']);
  });

  it('infers the compact graph', () => {
    const shapes = shapesOf(`graph main {
      input ids: int64[b,s]
      input mask: int64[b,s]
      constant word: int8[100,16] random(1, -8, 7)
      constant scale: float32[100] fill(1)
      constant g: float32[16] fill(1)
      constant w: float32[16,48] random(2)
      constant q: int8[48,6] random(3, -64, 63)
      constant qs: float32[6] fill(1)
      x = edgewise.EmbedLayerNorm(ids, _, word, _, _, g, g, scale) epsilon=1e-5 position="arange"
      a = edgewise.Attention(x, x, x, mask) num_heads=4 scale=0.5
      n = edgewise.AddLayerNorm(a, x, g, g) epsilon=1e-5
      h = edgewise.Linear(n, w) activation="gelu"
      y = edgewise.QuantizedLinear(h, q, qs) weight_bits=7
      output y
    }`);
    expect(shapes).toMatchObject({
      x: ['b', 's', 16],
      a: ['b', 's', 16],
      n: ['b', 's', 16],
      h: ['b', 's', 48],
    });
    expect(shapes['y']).toEqual(['b', 's', 6]);
  });

  it('merges what the branches of an If agree on, and reads enclosing values', () => {
    const model = parseModel(`graph main {
      input c: bool[]
      input x: float32[n,4]
      constant two: float32[2,4] random(1)
      y = If(c) then_branch=graph a {
        t = Relu(x)
        output t
      } else_branch=graph b {
        output two
      }
      output y
    }`);
    const { types, subgraphs } = inferTypes(model);
    expect(types.get('y')).toEqual({ kind: 'tensor', dtype: 'float32', shape: [null, 4] });
    expect([...subgraphs.values()].map((inner) => inner.get('t')?.shape)).toContainEqual(['n', 4]);
  });

  it('reports contradictions and unknown operators, uses declared types, and goes on', () => {
    const { types, diagnostics } = inferTypes(
      parseModel(`graph main {
        input x: float32[2,3]
        constant w: float32[4,5] random(1)
        y = MatMul(x, w) @bad
        z: float32[7] = com.example.Mystery(y)
        v = Relu(z)
        output v
      }`),
    );
    expect(types.get('v')?.shape).toEqual([7]);
    expect(diagnostics).toMatchObject([
      { code: 'shape-inference', message: 'MatMul: the inner dims 3 and 4 differ.', at: { node: 'bad' } },
      { code: 'unsupported-op', at: { node: '#1 Mystery' } },
    ]);
  });

  it('names the dims of inputs that have neither size nor name', () => {
    expect(shapesOf('graph main {\n  input x: float32[?,3]\n  y = Relu(x)\n  output y\n}')['y']).toEqual([
      'x_dim_0',
      3,
    ]);
  });
});

it.each([
  ['twice the same axis', 'int64[2] {1, 1}'],
  ['axes between axes', 'float32[2] {0.25, 0.5}'],
])('reports an Unsqueeze with %s', (_, axes) => {
  const model = parseModel(
    `ir 8\nopset ai.onnx 13\n\ngraph main {\ninput x: float32[n,3]\nconstant a: ${axes}\ny = Unsqueeze(x, a)\noutput y\n}`,
  );
  const { types, diagnostics } = inferTypes(model);
  expect(types.get('y')?.shape).toBeUndefined();
  expect(diagnostics.map(({ message }) => message)).toEqual([
    'Unsqueeze: The axes of Unsqueeze must be different whole numbers.',
  ]);
});
