import { seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { CompilerError } from '../diagnostics/index.ts';
import type { Attribute, Model } from './model.ts';
import { parseGraph, parseModel } from './parse.ts';
import { randomTensor } from './placeholder.ts';
import { printGraph, printModel, printNode } from './print.ts';
import { float32Tensor, typedData, type DenseTensor } from './tensor.ts';

const EVERYTHING = `ir 10
opset ai.onnx 17
opset com.microsoft 1
producer "pytorch" "2.1"
domain "org.example"
version 3
metadata "key" "two \\"words\\""

graph main {
  input x: float32[batch,seq,32]
  input output: sequence(optional(map(int64, string[*])))
  input untyped
  input cond: bool[]
  input odd: float32["floor(x/2)",2*seq+1,?]
  constant w: float32[32,64] random(7)
  constant table: int64[100] random(8, 0, 99)
  constant ones: float32[64] fill(1)
  constant mask: float32[2,2] {0, -inf, -0, 3.4028235e+38}
  constant small: float32[4] {0.1, 1e-12, 1e+21, 0.3333333}
  constant long: int64[2] {-9223372036854775808, 9223372036854775807}
  constant unsigned: uint64[1] {18446744073709551615}
  constant flags: bool[2] {true, false}
  constant nothing: int32[0] {}
  constant half: float16[2] x"003c0040"
  constant odd_bool: bool[1] x"02"
  constant nan: float32[1] x"0100c07f"
  constant words: string[2] {"a\\n", x"ff"}
  constant sparse_w: sparse float32[4] int64[1] {2} float32[1] {5}
  value ones: float32[n]
  quantization w "SCALE_TENSOR" "w_scale"
  h: float32[batch,seq,64] = MatMul(x, w) @/encoder/layer.0/MatMul
  input_1 = com.microsoft.Gelu(h)
  input = Relu(h)
  a, _, b = Split(h, _, "with space") axis=-1 alpha=1.0 small=0.00001 big=1e+21 n=nan i=-inf zero=-0.0
  onnx::Foo_1, x:0, 12 = "a domain"."odd op":"overload"(h) @"node 1"
  Sink(a)
  "a domain"."sink 2"(a)
  c = Attributes() s="text" bytes=x"ff00" list=[1, 2] floats=[1.0, 0.5] strings=["a", x"fe"] none=ints[] t=float32[2] {1, 2} ts=[float32[1] {1}, int8[1] {-1}] ty=type sequence(int64[]) tys=[type float32[2], type sparse int8[2]] sp=sparse int8[9] int64[1] {0} int8[1] {1}
  y: float32[?] = If(cond) then_branch=graph then {
    value c: float32[2]
    t: float32[2] = Add(c, c)
    nested = If(cond) then_branch=graph _ {
      output t
    } other=1
    output nested
  } else_branch=graph else {
    output c
  } @if
  output y: float32[?]
}

function my.domain.Fn(a, b) -> (c) {
  opset ai.onnx 17
  attribute alpha
  attribute beta = 1.0
  value a: float32[]
  c: float32[] = Add(a, b) scale=ref beta FLOAT
}
`;

describe('text form', () => {
  it('prints what it parsed', () => {
    expect(printModel(parseModel(EVERYTHING))).toBe(EVERYTHING);
  });

  it('gives the same model again', () => {
    const model = parseModel(EVERYTHING);
    expect(parseModel(printModel(model))).toEqual(model);
  });

  it('keeps the kinds and values of attributes', () => {
    const graph = parseGraph('graph g {\n y = Op(x) i=1 f=1.0 r=ref a INTS s="é" e=floats[] g=0.1\n}');
    expect(graph.nodes[0]?.attributes).toEqual(
      new Map<string, Attribute>([
        ['i', { kind: 'int', value: 1n }],
        ['f', { kind: 'float', value: 1 }],
        ['r', { kind: 'reference', name: 'a', type: 'INTS' }],
        ['s', { kind: 'string', value: Uint8Array.of(0xc3, 0xa9) }],
        ['e', { kind: 'floats', value: [] }],
        ['g', { kind: 'float', value: Math.fround(0.1) }],
      ]),
    );
  });

  it('reads lists and comments over several lines, and fills in a header', () => {
    const model = parseModel(`
      # intent
      graph g { # the graph
        constant w: int8[2,2] {
          1, 2, # row 0
          3, 4
        }
        y = Op(
          a,
          b
        )
      }`);
    expect(model.opsets).toEqual(new Map([['', 21], ['edgewise', 1]])); // prettier-ignore
    expect((model.graph.initializers.get('w') as DenseTensor).data).toEqual(Uint8Array.of(1, 2, 3, 4));
    expect(model.graph.nodes[0]?.inputs).toEqual(['a', 'b']);
  });

  it('stands a hash for content that is too large', () => {
    const graph = parseGraph('graph g {\n}');
    const values = Array.from({ length: 33 }, (_, i) => i);
    graph.initializers.set('w', float32Tensor([33], values));
    const text = printGraph(graph);
    expect(text).toMatch(/constant w: float32\[33\] hash\([0-9a-f]{16}\)/);
    graph.initializers.set('w', float32Tensor([33], values.with(32, 0)));
    expect(printGraph(graph)).not.toBe(text);
    expect(printGraph(graph, { inlineElements: 33 })).toContain('{0, 1, 2');
    expect(() => parseGraph(text)).toThrow(/content that is not in the text/);
  });

  it('makes random tensors that depend on nothing but their recipe', () => {
    const floats = typedData(randomTensor('float32', [2, 2], 7) as DenseTensor & { dtype: 'float32' });
    const uniform = seededRandom(7).uniform(4, -1, 1); // the same generator, written apart
    expect(floats).toEqual(uniform);
    const integers = typedData(randomTensor('int64', [1000], 1, [3, 5]) as DenseTensor & { dtype: 'int64' });
    expect(new Set(integers)).toEqual(new Set([3n, 4n, 5n]));
  });

  it('prints a single node for messages', () => {
    const node = parseGraph('graph g {\n y: float32[2] = Add(a, _) axis=1 @n\n}').nodes[0];
    expect(node && printNode(node)).toBe('y = Add(a, _) axis=1 @n');
  });
});

describe('errors name line and column', () => {
  it.each([
    ['graph g {\n  y = Add(a b)\n}', /line 2, column 13: expected ','/],
    ['graph g {\n  input x: float31[2]\n}', /line 2, column 12: 'float31' is not a data type/],
    ['graph g {\n  input x: float32[2/3]\n}', /line 2, column 20: .*dimension expression/],
    ['graph g {\n  constant w: int8[2] {1}\n}', /column 23: the shape needs 2 entries, got 1/],
    ['graph g {\n  constant w: int8[1] {300}\n}', /does not fit int8/],
    ['graph g {\n  constant w: int64[1] {1.5}\n}', /does not fit int64/],
    ['graph g {\n  constant w: float16[1] {1}\n}', /raw bytes/],
    ['graph g {\n  constant w: float16[9] random(1)\n}', /no numbers of type float16/],
    ['graph g {\n  constant w: int8[99999,99999] fill(1)\n}', /at most 100000000 elements/],
    ['graph g {\n  constant w: int8[seq] random(1)\n}', /dims are numbers/],
    ['graph g {\n  y = Op() a=[1, 2.0]\n}', /one kind of values/],
    ['graph g {\n  y = Op() a=[]\n}', /needs its kind/],
    ['graph g {\n  y = Op() a=1 a=2\n}', /'a' is given twice/],
    ['graph g {\n  y = Op() a=[[1]]\n}', /cannot hold ints/],
    [`graph g {\n  y = Op() a=${'['.repeat(5000)}`, /nested deeper than 32/],
    ['graph g {\n  constant w: int8[0] {}\n  constant w: int8[0] {}\n}', /defined twice/],
    ['graph g {\n  y = Op() z = Op()\n}', /expected a data type or a value|not a data type/],
    ['graph g {\n  y: float32[] = Op()\n  y: float32[] = Op()\n}', /declared twice/],
    ['graph g {', /line 1, column 10: expected/],
    ['graph g {\n} more', /expected the end of the text/],
    [`graph g {\n input x: ${'sequence('.repeat(5000)}`, /nested deeper than 32/],
  ])('%j', (text, message) => {
    expect(() => parseGraph(text, { file: 'f.txt' })).toThrow(message);
    expect(() => parseGraph(text)).toThrow(CompilerError);
  });

  it('refuses every truncation of a model with a CompilerError', () => {
    const outcomes = new Set<string>();
    for (let end = 0; end < EVERYTHING.length - 1; end++) outcomes.add(outcome(EVERYTHING.slice(0, end)));
    expect(outcomes).toEqual(new Set(['CompilerError', 'parsed'])); // parsed: without the function
  });
});

function outcome(text: string): string {
  try {
    const _model: Model = parseModel(text);
    return 'parsed';
  } catch (error) {
    return (error as Error).name;
  }
}
