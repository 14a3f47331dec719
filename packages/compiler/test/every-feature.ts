import { parseModel, type Model } from '../src/index.ts';

/** A small model that uses every part of the format: kinds of attributes, types, tensors, subgraphs, functions. */
export function everyFeature(): Model {
  const model = parseModel(TEXT);
  const [first, ...others] = model.graph.nodes;
  if (first === undefined) throw new Error('the text has nodes');
  model.doc = 'a model';
  model.graph.doc = 'a graph';
  model.graph.metadata = new Map([['graph key', 'graph value']]);
  const metadata = new Map([['node key', 'node value']]);
  model.graph.nodes = [{ ...first, doc: 'a node', overload: 'variant', metadata }, ...others];
  model.graph.inputs = model.graph.inputs.map((input) => ({ ...input, doc: 'an input', metadata }));
  return model;
}

const TEXT = `
ir 10
opset ai.onnx 17
opset com.microsoft 1
opset my 1
producer "pytorch" "2.1"
domain "org.example"
version 3
metadata "key" "value"

graph main {
  input x: float32[batch,"floor(x/2)",2*seq+1,?]
  input list: sequence(optional(map(int64, string[*])))
  input untyped
  input cond: bool[]
  constant f32: float32[2,3] {1, 2, 3, 4, 5, 6}
  constant f16: float16[4] x"003c004000420044"
  constant bf16: bfloat16[2] x"803f0040"
  constant f64: float64[2] {1, 2}
  constant i8: int8[3] {-1, 0, 1}
  constant u4: uint4[3] x"2103"
  constant i64: int64[3] {-1, 0, 9223372036854775807}
  constant u64: uint64[1] {18446744073709551615}
  constant c64: complex64[1] x"0000803f00000040"
  constant f8: float8e4m3fn[2] x"3840"
  constant flags: bool[2] {true, false}
  constant none: int32[0,5] {}
  constant scalar: int32[] {7}
  constant words: string[2] {"a", x"ff"}
  constant sparse: sparse float32[4] int64[1] {2} float32[1] {5}
  value f32: float32[2,n]
  quantization f32 "SCALE_TENSOR" "f64" "ZERO_POINT_TENSOR" "i8"
  h: float32[batch,?,?,?] = Relu(x) @/encoder/layer.0/Relu
  a, _, b = com.microsoft.Split(h, _, f32) axis=-1 alpha=1.5 mode="linear" bytes=x"ff00" pads=[1, 2, 3] scales=[1.0, 0.5] names=["a", x"fe"] empty=ints[] value=float32[2] {1, 2} values=[float32[1] {1}, string[1] {"s"}] type=type sequence(int64[]) types=[type float32[2], type sparse int8[2]] sparse=sparse int8[9] int64[1] {0} int8[1] {1} sparses=[sparse int8[9] int64[1,1] {0} int8[1] {1}]
  y: float32[?] = If(cond) then_branch=graph then {
    constant inner: float32[1] {1}
    t: float32[2] = Add(inner, h)
    nested = If(cond) then_branch=graph _ {
      output t
    } graphs=[graph one {
      output t
    }]
    output nested
  } else_branch=graph else {
    output h
  }
  z = my.Fn(y, b) beta=2.0
  output z: float32[?]
}

function my.Fn(a, b) -> (c) {
  opset ai.onnx 17
  attribute alpha
  attribute beta = 1.0
  value c: float32[]
  c = LeakyRelu(a) alpha=ref beta FLOAT
}
`;
