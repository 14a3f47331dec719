import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { describe, expect, it } from 'vitest';
import { CompilerError } from '../../diagnostics/index.ts';
import { DATA_TYPE_CODES, typedData, type DataType, type DenseTensor, type Graph } from '../../ir/index.ts';
import { externalDataFrom } from './external-data.ts';
import {
  AttributeProto_AttributeType as AttributeType,
  GraphProtoSchema,
  ModelProtoSchema,
  TensorProto_DataLocation,
  TensorShapeProtoSchema,
  type TensorProtoSchema,
} from './proto/onnx_pb.ts';
import { readOnnx, type ReadOnnxOptions } from './read-onnx.ts';

type TensorInit = MessageInitShape<typeof TensorProtoSchema>;
type GraphInit = MessageInitShape<typeof GraphProtoSchema>;

function modelBytes(graph: GraphInit, rest: MessageInitShape<typeof ModelProtoSchema> = {}): Uint8Array {
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, { irVersion: 8n, ...rest, graph: create(GraphProtoSchema, graph) }),
  );
}

function readGraph(graph: GraphInit, options?: ReadOnnxOptions): Graph {
  return readOnnx(modelBytes(graph), options).graph;
}

function readTensor(dtype: DataType | number, dims: readonly number[], init: TensorInit): DenseTensor {
  const dataType = typeof dtype === 'number' ? dtype : DATA_TYPE_CODES[dtype];
  const tensor = { name: 'w', dataType, dims: dims.map(BigInt), ...init };
  return readGraph({ initializer: [tensor] }).initializers.get('w') as DenseTensor;
}

function varints(...values: (number | bigint)[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const value of values) writer.int64(BigInt(value));
  return writer.finish();
}

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength);
}

/** `code: message`, with the hint where there is one. */
function refusal(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof CompilerError)
      return `${error.code}: ${error.message}${error.hint ? ` (${error.hint})` : ''}`;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('tensor data', () => {
  it.each<[DataType, number[], TensorInit, ArrayBufferView]>([
    ['float32', [2], { rawData: bytesOf(Float32Array.of(1, -2)) }, Float32Array.of(1, -2)],
    ['float32', [2], { floatData: [bytesOf(Float32Array.of(1, -2))] }, Float32Array.of(1, -2)],
    ['float32', [2], { floatData: [bytesOf(Float32Array.of(1)), bytesOf(Float32Array.of(-2))] }, Float32Array.of(1, -2)],
    ['complex64', [1], { floatData: [bytesOf(Float32Array.of(1, -2))] }, Float32Array.of(1, -2)],
    ['float64', [2], { doubleData: [bytesOf(Float64Array.of(1, -2))] }, Float64Array.of(1, -2)],
    ['int64', [4], { int64Data: [varints(1, -2), varints(2n ** 62n, -(2n ** 63n))] }, BigInt64Array.of(1n, -2n, 2n ** 62n, -(2n ** 63n))],
    ['uint64', [1], { uint64Data: [varints(-1)] }, BigUint64Array.of(2n ** 64n - 1n)],
    ['uint32', [2], { uint64Data: [varints(7, 2 ** 32 - 1)] }, Uint32Array.of(7, 2 ** 32 - 1)],
    ['int32', [3], { int32Data: [varints(1, -2, -(2 ** 31))] }, Int32Array.of(1, -2, -(2 ** 31))],
    ['int16', [2], { int32Data: [varints(1, -2)] }, Int16Array.of(1, -2)],
    ['int8', [2], { int32Data: [varints(127, -128)] }, Int8Array.of(127, -128)],
    ['bool', [2], { int32Data: [varints(1, 0)] }, Uint8Array.of(1, 0)],
    ['float16', [2], { int32Data: [varints(0x3c00, 0xc000)] }, Uint16Array.of(0x3c00, 0xc000)],
    ['uint4', [3], { int32Data: [varints(0x21, 0x03)] }, Uint8Array.of(0x21, 0x03)],
    ['int32', [0, 5], {}, new Int32Array()],
    ['int32', [], { int32Data: [varints(7)] }, Int32Array.of(7)],
  ])('%s %j', (dtype, dims, init, expected) => {
    const tensor = readTensor(dtype, dims, init);
    expect(tensor).toEqual({ kind: 'dense', dtype, dims, data: bytesOf(expected) });
  }); // prettier-ignore

  it('is a view on the file, and an ordinary Uint8Array when the file is a Buffer', () => {
    const rawData = bytesOf(Float32Array.of(1, 2, 3));
    const file = Buffer.concat([
      modelBytes({ initializer: [{ name: 'weight', dataType: 1, dims: [3n], rawData }] }),
    ]);
    const tensor = readOnnx(file).graph.initializers.get('weight') as DenseTensor & { dtype: 'float32' };
    expect(tensor.data.buffer).toBe(file.buffer);
    expect(Buffer.isBuffer(tensor.data)).toBe(false);
    expect(typedData(tensor)).toEqual(Float32Array.of(1, 2, 3));
  });

  it.each<[string, DataType | number, number[], TensorInit, RegExp]>([
    ['an unknown type', 99, [1], {}, /^bad-file: initializer 'w' has the unknown data type 99/],
    ['no type', 0, [1], {}, /unknown data type 0/],
    ['too little data', 'float32', [3], { rawData: new Uint8Array(8) }, /^bad-file: .*takes 12 bytes, but has 8 bytes/],
    ['no data', 'float32', [3], {}, /but has 0 bytes/],
    ['too few varints', 'int64', [3], { int64Data: [varints(1, 2)] }, /another number of values/],
    ['an overlong varint', 'int64', [1], { int64Data: [Uint8Array.of(...new Uint8Array(10).fill(0x80), 1)] }, /another number of values/],
    ['data in two fields', 'float32', [1], { rawData: new Uint8Array(4), floatData: [new Uint8Array(4)] }, /data in floatData and rawData/],
    ['data in a wrong field', 'float32', [1], { int32Data: [varints(1)] }, /is float32 but has its data in int32Data/],
    ['a negative dimension', 'float32', [-1], {}, /has the dimension -1/],
    ['sizes beyond memory', 'float32', [2 ** 40, 2 ** 40], {}, /^too-large: .*declares dims/],
    ['sizes beyond memory times zero', 'float32', [2 ** 40, 0, 2 ** 40], {}, /^too-large/],
    ['a gigabyte without data', 'float32', [2 ** 30], {}, /takes 4294967296 bytes, but has 0/],
    ['segments', 'float32', [1], { segment: { begin: 0n, end: 1n } }, /^unsupported: .*segments/],
    ['strings of a wrong number', 'string', [2], { stringData: [new Uint8Array()] }, /has 1 strings/],
    ['strings with raw data', 'string', [0], { rawData: new Uint8Array(1) }, /has 0 strings/],
  ])('refuses %s', (_, dtype, dims, init, message) => {
    expect(refusal(() => readTensor(dtype, dims, init))).toMatch(message);
  }); // prettier-ignore
});

describe('external data', () => {
  const tensor = (entries: Record<string, string>): GraphInit => ({
    initializer: [
      {
        name: 'w',
        dataType: 1,
        dims: [2n],
        dataLocation: TensorProto_DataLocation.EXTERNAL,
        externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
      },
    ],
  });
  const files = new Map([['data/w.bin', bytesOf(Float32Array.of(0, 1, 2))]]);
  const external = externalDataFrom(files);

  it('is a view on the bytes of the callback', () => {
    const { initializers } = readGraph(tensor({ location: './data/w.bin', offset: '4', length: '8' }), {
      external,
    });
    const { data } = initializers.get('w') as DenseTensor;
    expect(data).toEqual(bytesOf(Float32Array.of(1, 2)));
    expect(data.buffer).toBe(files.get('data/w.bin')?.buffer);
  });

  it.each([
    '/etc/passwd', '../w.bin', 'a/../../w.bin', 'a\\w.bin', '..\\w.bin', 'C:/w.bin', 'C:w.bin', 'w.bin:stream',
    'https://example.org/w', '', '.', 'a//b', 'a/', 'w\0.bin',
  ])('refuses the location %j without asking for it', (location) => {
    const asked: string[] = [];
    const spy = (path: string): Uint8Array => (asked.push(path), new Uint8Array(8));
    expect(refusal(() => readGraph(tensor({ location }), { external: spy }))).toMatch(/^external-data: initializer 'w'/);
    expect(asked).toEqual([]);
  }); // prettier-ignore

  it.each<[Record<string, string>, RegExp]>([
    [{ location: 'data/w.bin', offset: '8' }, /needs bytes 8 to 16 of 'data\/w.bin', which ends before/],
    [{ location: 'data/w.bin', offset: '-4' }, /points to offset -4/],
    [{ location: 'data/w.bin', offset: '99999999999999999999' }, /points to offset/],
    [{ location: 'data/w.bin', length: '4' }, /takes 8 bytes but points to/],
    [{ location: 'missing.bin' }, /'missing.bin', which cannot be found/],
  ])('refuses %j', (entries, message) => {
    expect(refusal(() => readGraph(tensor(entries), { external }))).toMatch(message);
  });

  it('is refused when nobody provides it', () => {
    expect(refusal(() => readGraph(tensor({ location: 'w.bin' })))).toMatch(
      /^external-data: .*'w.bin', which is not here/,
    );
  });
});

describe('graphs', () => {
  it('normalises what has two spellings', () => {
    const shape = create(TensorShapeProtoSchema, {
      dim: [{ value: { case: 'dimValue', value: -1n } }, { value: { case: 'dimParam', value: 'a + 1' } }, {}],
    });
    const model = readOnnx(
      modelBytes(
        {
          input: [{ name: 'x', type: { value: { case: 'tensorType', value: { elemType: 1, shape } } } }],
          node: [{ opType: 'Relu', domain: 'ai.onnx', input: ['x'], output: ['y'] }],
        },
        { opsetImport: [{ domain: 'ai.onnx', version: 17n }] },
      ),
    );
    expect(model.opsets).toEqual(new Map([['', 17]]));
    expect(model.graph.nodes[0]?.domain).toBe('');
    expect(model.graph.inputs[0]?.type).toEqual({
      kind: 'tensor',
      dtype: 'float32',
      shape: [null, '"a + 1"', null],
    });
  });

  it('guesses the kind of attributes in files that are too old to say', () => {
    const graph = readGraph({ node: [{ opType: 'Op', attribute: [{ name: 'a', f: 0 }, { name: 'b', ints: [3n] }] }] }); // prettier-ignore
    expect(graph.nodes[0]?.attributes).toEqual(
      new Map<string, unknown>([
        ['a', { kind: 'float', value: 0 }],
        ['b', { kind: 'ints', value: [3n] }],
      ]),
    );
  });

  it.each<[string, () => Uint8Array, RegExp]>([
    ['an empty file', () => new Uint8Array(), /^bad-file: this is not an ONNX model: it has no graph/],
    ['an empty file, named', () => new Uint8Array(), /the file is empty/],
    ['plain text', () => new TextEncoder().encode('hello, I am text\n'), /it is text/],
    ['half a file', () => modelBytes({ node: [{ name: 'n'.repeat(99) }] }).slice(0, 60), /the file ends too early; was the download complete/],
    ['text', () => new TextEncoder().encode('<html></html>'), /it is text/],
    ['an LFS pointer', () => new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\noid'), /git lfs pull/],
    ['a zip archive', () => new TextEncoder().encode('PK\u0003\u0004'), /zip archive/],
    ['training graphs', () => modelBytes({}, { trainingInfo: [{}] }), /^unsupported: .*training/],
    ['two initializers of a name', () => modelBytes({ initializer: [{ name: 'w', dataType: 1, dims: [0n] }, { name: 'w', dataType: 1, dims: [0n] }] }), /two initializers 'w'/],
    ['two attributes of a name', () => modelBytes({ node: [{ opType: 'Op', attribute: [{ name: 'a', i: 1n }, { name: 'a', i: 1n }] }] }), /node #0 Op has two attributes 'a'/],
    ['an attribute without a value', () => modelBytes({ node: [{ name: 'n', opType: 'Op', attribute: [{ name: 'a', type: AttributeType.TENSOR }] }] }), /attribute 'a' of node 'n' is TENSOR but has no value/],
    ['two versions of an operator set', () => modelBytes({}, { opsetImport: [{ version: 1n }, { domain: 'ai.onnx', version: 2n }] }), /two versions of the operator set 'ai.onnx'/],
    ['a negative opset', () => modelBytes({}, { opsetImport: [{ version: -1n }] }), /opset version is -1/],
    ['an unknown element type', () => modelBytes({ input: [{ name: 'x', type: { value: { case: 'tensorType', value: { elemType: 77 } } } }] }), /the type of 'x' has the unknown data type 77/],
    ['an opaque type', () => modelBytes({ input: [{ name: 'x', type: { value: { case: 'opaqueType', value: { domain: 'd', name: 'n' } } } }] }), /the type of 'x' is opaque/],
    ['an unknown attribute type', () => modelBytes({ node: [{ attribute: [{ type: 99 as AttributeType }] }] }), /AttributeProto.type has the unknown value 99/],
  ])('refuses %s', (_, bytes, message) => {
    expect(refusal(() => readOnnx(bytes(), { file: 'm.onnx' }))).toMatch(message);
  }); // prettier-ignore
});

describe('hostile files', () => {
  /** A field of a message, by numbers: what no encoder would write. */
  const field = (number: number, wireType: WireType, ...payload: number[]): Uint8Array =>
    Uint8Array.of(...new BinaryWriter().tag(number, wireType).finish(), ...payload);
  const nest = (levels: readonly number[], inner: Uint8Array): Uint8Array =>
    levels.reduceRight((content, number) => new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(content).finish(), inner); // prettier-ignore
  const repeat = (bytes: Uint8Array, times: number): Uint8Array => {
    const repeated = new Uint8Array(bytes.length * times);
    for (let i = 0; i < times; i++) repeated.set(bytes, i * bytes.length);
    return repeated;
  };
  const RELU = field(4, WireType.LengthDelimited, 4, ...new TextEncoder().encode('Relu'));
  const GRAPH = 7;
  const NODE = 1;
  const INITIALIZER = 5;

  it.each<[string, () => Uint8Array, RegExp]>([
    ['a length beyond the file', () => field(GRAPH, WireType.LengthDelimited, 0xff, 0xff, 0xff, 0xff, 0x07), /longer than the message/],
    ['a length beyond its parent', () => Uint8Array.of(...nest([GRAPH, NODE], field(1, WireType.LengthDelimited, 5)), 0, 0, 0, 0, 0), /longer than the message/],
    ['a wrong wire type', () => field(GRAPH, WireType.Varint, 1), /ModelProto.graph has a wrong wire type/],
    ['a group', () => field(100, WireType.StartGroup), /protobuf group/],
    ['field number 0', () => Uint8Array.of(0x02, 0x00), /illegal tag/],
    ['a varint without end', () => field(1, WireType.Varint, 0x80, 0x80), /not a readable ONNX model/],
    ['floats one by one', () => nest([GRAPH, INITIALIZER], field(4, WireType.Bit32, 0, 0, 0, 0)), /TensorProto.float_data is not packed/],
    ['a name that is not UTF-8', () => nest([GRAPH, NODE], field(3, WireType.LengthDelimited, 1, 0xff)), /NodeProto.name is not UTF-8/],
    ['subgraphs in subgraphs', () => nest([GRAPH, ...Array.from({ length: 40 }, () => [NODE, 5, 6]).flat()], new Uint8Array()), /^too-large: .*nested deeper/],
    ['sequences of sequences', () => nest([GRAPH, 11, 2, ...Array.from({ length: 5000 }, () => [4, 1]).flat()], new Uint8Array()), /^too-large: .*nested deeper/],
    ['a node without op_type', () => nest([GRAPH, NODE], field(3, WireType.LengthDelimited, 1, 0x6e)), /a node has no op_type \(byte 7\)/],
    ['a node whose op_type is empty', () => nest([GRAPH, NODE], Uint8Array.of(...RELU, ...field(4, WireType.LengthDelimited, 0))), /a node has no op_type/],
    ['a number of eleven bytes', () => field(1, WireType.Varint, ...new Uint8Array(10).fill(0x80), 0), /ModelProto.ir_version has a number of more than 10 bytes/],
    ['a number of eleven bytes in a list', () => nest([GRAPH, NODE, 5, 8], Uint8Array.of(...new Uint8Array(10).fill(0x80), 0)), /AttributeProto.ints has a number of more than 10 bytes/],
    ['millions of nodes', () => nest([GRAPH], repeat(nest([NODE], RELU), 300_000)), /^too-large: .*more than 47 MB of memory/],
    ['millions of numbers', () => nest([GRAPH, NODE, 5, 8], new Uint8Array(2_000_000)), /^too-large: .*more than 46 MB/],
    ['millions of byte strings', () => nest([GRAPH, NODE, 5], new Uint8Array(1_000_000).map((_, i) => (i % 2 === 0 ? 0x4a : 0))), /^too-large: .*more than 43 MB/],
  ])('refuses %s', (_, bytes, message) => {
    const file = bytes();
    const started = performance.now();
    expect(refusal(() => readOnnx(file))).toMatch(message);
    expect(performance.now() - started).toBeLessThan(2000);
  }); // prettier-ignore

  it('reads documentation that is not UTF-8', () => {
    const doc = field(6, WireType.LengthDelimited, 2, 0xff, 0x41);
    expect(readOnnx(nest([GRAPH, NODE], Uint8Array.of(...RELU, ...doc))).graph.nodes[0]?.doc).toBe('\ufffdA');
  });

  it('reads what is spread over several messages, by the rule that they are merged', () => {
    const node = nest([NODE], RELU);
    const body = (...parts: Uint8Array[]): Uint8Array => nest([6], Uint8Array.from(parts.flatMap((part) => [...part])));
    const name = field(2, WireType.LengthDelimited, 1, 0x67);
    const attribute = Uint8Array.of(...field(1, WireType.LengthDelimited, 1, 0x61), ...body(node), ...body(node, name));
    const file = Uint8Array.of(...nest([GRAPH, NODE], Uint8Array.of(...nest([5], attribute), ...RELU)), ...nest([GRAPH], node));
    const [first, ...others] = readOnnx(file).graph.nodes;
    expect(others.map((other) => other.opType)).toEqual(['Relu']);
    expect(first?.attributes.get('a')).toMatchObject({ kind: 'graph', value: { name: 'g', nodes: [{ opType: 'Relu' }, { opType: 'Relu' }] } });
  }); // prettier-ignore

  it('skips fields of later versions', () => {
    const unknown = field(1000, WireType.LengthDelimited, 2, 1, 1);
    expect(readOnnx(Uint8Array.of(...nest([GRAPH], unknown), ...unknown)).graph.nodes).toEqual([]);
  });
});
