import { CompilerError } from '../diagnostics/index.ts';
import { byteLengthOf, DATA_TYPE_CODES, type DataType } from './data-type.ts';
import { parseDim, type Dim, type Shape } from './dim.ts';
import type { Attribute, Graph, Model, ModelFunction, Node, ValueInfo, ValueType } from './model.ts';
import { randomTensor } from './placeholder.ts';
import { BARE_NAME } from './print.ts';
import { denseTensor, elementCount, type DenseTensor, type StringTensor, type Tensor } from './tensor.ts';
import type { SparseTensor, TypedArray } from './tensor.ts';

export interface ParseOptions {
  /** File name for messages. */
  readonly file?: string;
}

/** Graphs and types nested deeper than this are refused. */
const NESTING_LIMIT = 32;

/**
 * Reads the text form that `printModel` documents. Statements may come in any order that defines names before use;
 * the header may be left out (IR version 10, ai.onnx 21, edgewise 1).
 * @throws CompilerError `bad-file` naming line and column.
 */
export function parseModel(text: string, options: ParseOptions = {}): Model {
  return createParser(text, options.file).model();
}

/** Reads one `graph name { … }`. @throws CompilerError `bad-file` naming line and column. */
export function parseGraph(text: string, options: ParseOptions = {}): Graph {
  return createParser(text, options.file).graph();
}

const DEFAULT_IR_VERSION = 10;
const DEFAULT_OPSETS = [
  ['', 21],
  ['edgewise', 1],
] as const;

const SPACES = /[ \t]*/y;
const BLANK = /(?:[ \t\r\n]|#[ ][^\n]*|#(?=\n))*/y;
const LINE_END = /[ \t]*(?:#(?: [^\n]*)?)?(?:\r?\n|$)/y;
const STRING = /"(?:[^"\\\n]|\\.)*"/y;
const HEX = /x"((?:[0-9a-f]{2})*)"/y;
const NUMBER = /-?(?:inf|nan|\d+(?:\.\d+)?(?:e[+-]?\d+)?)/y;
const INTEGER = /-?\d+/y;
const WORD = /[A-Za-z][\w-]*/y;
const OPERATOR = /(?:[A-Za-z][\w-]*\.)*\w+/y;
const CALL =
  /(?:(?:[A-Za-z][\w-]*\.)*\w+|"(?:[^"\\\n]|\\.)*"\."(?:[^"\\\n]|\\.)*")(?::"(?:[^"\\\n]|\\.)*")?\(/y;
const DIM = /(?:"(?:[^"\\\n]|\\.)*"|[^,\]"\n])+/y;
const HASH = /hash\(/y;

interface Parser {
  readonly model: () => Model;
  readonly graph: () => Graph;
}

function createParser(text: string, file: string | undefined): Parser {
  let at = 0;
  let depth = 0;
  return {
    model: () => finish(parseWholeModel()),
    graph: () => {
      skipBlank();
      expectWord('graph');
      return finish(parseGraphBody());
    },
  };

  // --- characters -----------------------------------------------------------------------------------------------

  function fail(message: string, position = at): never {
    const before = text.slice(0, position).split('\n');
    const place = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
    throw new CompilerError('bad-file', `${place}: ${message}`, file === undefined ? {} : { at: { file } });
  }

  function match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found === null) return undefined;
    at += found[0].length;
    return found;
  }

  function peek(literal: string): boolean {
    return text.startsWith(literal, at);
  }

  function accept(literal: string): boolean {
    match(SPACES);
    if (!peek(literal)) return false;
    at += literal.length;
    return true;
  }

  function expect(literal: string): void {
    if (!accept(literal)) fail(`expected '${literal}'`);
  }

  function expectPattern(pattern: RegExp, what: string): string {
    match(SPACES);
    return match(pattern)?.[0] ?? fail(`expected ${what}`);
  }

  /** The keyword ahead. In `input = Relu(x)` the same word is a name. */
  function acceptWord(word: string): boolean {
    match(SPACES);
    if (!peek(`${word} `) || /^ +=/.test(text.slice(at + word.length, at + word.length + 9))) return false;
    at += word.length;
    return true;
  }

  function expectWord(word: string): void {
    if (!acceptWord(word)) fail(`expected '${word}'`);
  }

  function skipBlank(): void {
    match(BLANK);
  }

  function endStatement(): void {
    if (match(LINE_END) === undefined) fail('expected the end of the line');
  }

  function finish<T>(result: T): T {
    skipBlank();
    if (at < text.length) fail('expected the end of the text');
    return result;
  }

  function list<T>(close: string, item: () => T): T[] {
    const items: T[] = [];
    skipBlank();
    if (accept(close)) return items;
    for (;;) {
      skipBlank();
      items.push(item());
      skipBlank();
      if (accept(close)) return items;
      expect(',');
    }
  }

  function nested<T>(body: () => T): T {
    depth += 1;
    if (depth > NESTING_LIMIT) fail(`nested deeper than ${NESTING_LIMIT}`);
    const result = body();
    depth -= 1;
    return result;
  }

  // --- names, numbers, strings ------------------------------------------------------------------------------------

  function parseString(): string {
    const start = at;
    const quoted = expectPattern(STRING, 'a string in double quotes');
    try {
      return JSON.parse(quoted) as string;
    } catch {
      return fail('bad escape in string', start);
    }
  }

  function parseName(): string {
    match(SPACES);
    if (peek('"')) return parseString();
    const name = match(BARE_NAME)?.[0] ?? fail('expected a name');
    return name === '_' ? '' : name;
  }

  function parseInteger(): number {
    const start = at;
    const value = Number(expectPattern(INTEGER, 'an integer'));
    return Number.isSafeInteger(value) ? value : fail('integer too large', start);
  }

  function parseNumber(): number {
    const number = expectPattern(NUMBER, 'a number');
    return number.endsWith('inf')
      ? Number(number.replace('inf', 'Infinity'))
      : Number(number.replace('nan', 'NaN'));
  }

  function parseBytes(): Uint8Array {
    match(SPACES);
    return peek('x"') ? parseHex() : new TextEncoder().encode(parseString());
  }

  function parseHex(): Uint8Array {
    const digits = match(HEX)?.[1] ?? fail('expected an even number of hex digits: x"00ff"');
    return Uint8Array.from({ length: digits.length / 2 }, (_, i) =>
      Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16),
    );
  }

  // --- model, graph, function -------------------------------------------------------------------------------------

  function parseWholeModel(): Model {
    const model: Model = {
      irVersion: DEFAULT_IR_VERSION,
      opsets: new Map(),
      producer: { name: '', version: '' },
      domain: '',
      modelVersion: 0n,
      metadata: new Map(),
      graph: emptyGraph(''),
      functions: [],
    };
    for (skipBlank(); !acceptWord('graph'); skipBlank()) parseHeader(model);
    if (model.opsets.size === 0) model.opsets = new Map(DEFAULT_OPSETS);
    model.graph = parseGraphBody();
    for (skipBlank(); acceptWord('function'); skipBlank()) model.functions.push(parseFunction());
    return model;
  }

  function parseHeader(model: Model): void {
    if (acceptWord('ir')) model.irVersion = parseInteger();
    else if (acceptWord('opset')) parseOpset(model.opsets);
    else if (acceptWord('producer')) model.producer = { name: parseString(), version: parseString() };
    else if (acceptWord('domain')) model.domain = parseString();
    else if (acceptWord('version')) model.modelVersion = BigInt(expectPattern(INTEGER, 'an integer'));
    else if (acceptWord('metadata')) model.metadata.set(parseString(), parseString());
    else fail("expected 'ir', 'opset', 'producer', 'domain', 'version', 'metadata' or 'graph'");
    endStatement();
  }

  function parseOpset(opsets: Map<string, number>): void {
    const domain = parseName();
    opsets.set(domain === 'ai.onnx' ? '' : domain, parseInteger());
  }

  function parseGraphBody(): Graph {
    const graph = emptyGraph(parseName());
    expect('{');
    endStatement();
    nested(() => {
      for (skipBlank(); !accept('}'); skipBlank()) parseStatement(graph);
    });
    return graph;
  }

  function parseStatement(graph: Graph): void {
    if (acceptWord('input')) graph.inputs.push(parseValueInfo());
    else if (acceptWord('output')) graph.outputs.push(parseValueInfo());
    else if (acceptWord('constant')) parseConstant(graph);
    else if (acceptWord('value')) declare(graph.valueInfo, parseValueInfo());
    else if (acceptWord('quantization')) {
      const annotation = { tensor: parseName(), parameters: parsePairs() };
      graph.quantizationAnnotations = [...(graph.quantizationAnnotations ?? []), annotation];
    } else graph.nodes.push(parseNode(graph.valueInfo));
    endStatement();
  }

  function parseConstant(graph: Graph): void {
    const name = parseName();
    expect(':');
    if (graph.initializers.has(name)) fail(`constant '${name}' is defined twice`);
    graph.initializers.set(name, parseTensor());
  }

  function parsePairs(): Map<string, string> {
    const pairs = new Map<string, string>();
    for (match(SPACES); peek('"'); match(SPACES)) pairs.set(parseString(), parseString());
    return pairs;
  }

  function parseFunction(): ModelFunction {
    const { domain, opType: name, overload } = parseOperator();
    expect('(');
    const inputs = list(')', parseName);
    expect('->');
    expect('(');
    const outputs = list(')', parseName);
    const opsets = new Map<string, number>();
    const attributes: string[] = [];
    const attributeDefaults = new Map<string, Attribute>();
    const types = new Map<string, ValueInfo>();
    const nodes: Node[] = [];
    expect('{');
    endStatement();
    for (skipBlank(); !accept('}'); skipBlank()) {
      if (acceptWord('opset')) parseOpset(opsets);
      else if (acceptWord('value')) declare(types, parseValueInfo());
      else if (acceptWord('attribute')) {
        const attribute = parseName();
        if (accept('=')) attributeDefaults.set(attribute, parseAttribute());
        else attributes.push(attribute);
      } else nodes.push(parseNode(types));
      endStatement();
    }
    return {
      name,
      domain,
      ...(overload === undefined ? {} : { overload }),
      inputs,
      outputs,
      attributes,
      attributeDefaults,
      nodes,
      opsets,
      ...(types.size === 0 ? {} : { valueInfo: [...types.values()] }),
    };
  }

  // --- nodes ------------------------------------------------------------------------------------------------------

  function parseNode(types: Map<string, ValueInfo>): Node {
    const outputs = isCallAhead() ? [] : parseOutputs(types);
    const { domain, opType, overload } = parseOperator();
    expect('(');
    const inputs = list(')', parseName);
    const attributes = new Map<string, Attribute>();
    let name = '';
    for (match(SPACES); !/[\n\r#]/.test(text[at] ?? '\n'); match(SPACES)) {
      if (accept('@')) {
        name = parseName();
        break;
      }
      const key = parseName();
      expect('=');
      attributes.set(key, parseAttribute());
    }
    return {
      name,
      opType,
      domain,
      inputs,
      outputs,
      attributes,
      ...(overload === undefined ? {} : { overload }),
    };
  }

  /** Whether the statement starts with the operator, because the node has no outputs. */
  function isCallAhead(): boolean {
    const start = at;
    const found = match(CALL) !== undefined;
    at = start;
    return found;
  }

  function parseOutputs(types: Map<string, ValueInfo>): string[] {
    const outputs: string[] = [];
    do {
      const info = parseValueInfo();
      outputs.push(info.name);
      if (info.type !== undefined) declare(types, info);
    } while (accept(','));
    expect('=');
    return outputs;
  }

  function declare(types: Map<string, ValueInfo>, info: ValueInfo): void {
    if (types.has(info.name)) fail(`the type of '${info.name}' is declared twice`);
    types.set(info.name, info);
  }

  function parseOperator(): { domain: string; opType: string; overload: string | undefined } {
    match(SPACES);
    let domain: string;
    let opType: string;
    if (peek('"')) {
      domain = parseString();
      expect('.');
      opType = parseString();
    } else {
      const name = expectPattern(OPERATOR, 'an operator');
      const dot = name.lastIndexOf('.');
      domain = name.slice(0, Math.max(dot, 0));
      opType = name.slice(dot + 1);
    }
    return { domain, opType, overload: accept(':') ? parseString() : undefined };
  }

  function parseAttribute(): Attribute {
    match(SPACES);
    if (peek('[')) return parseListAttribute();
    if (peek('"') || peek('x"')) return { kind: 'string', value: parseBytes() };
    if (acceptWord('graph')) return { kind: 'graph', value: parseGraphBody() };
    if (acceptWord('type')) return { kind: 'type', value: parseType() };
    if (acceptWord('ref'))
      return { kind: 'reference', name: parseName(), type: expectPattern(WORD, 'a type') };
    const number = match(NUMBER)?.[0];
    if (number !== undefined) return numberAttribute(number);
    const empty = /(floats|ints|strings|tensors|sparse-tensors|graphs|types)\[\]/y;
    const kind = match(empty)?.[1];
    if (kind !== undefined) return { kind, value: [] } as unknown as Attribute;
    const tensor = parseTensor();
    return tensor.kind === 'sparse'
      ? { kind: 'sparse-tensor', value: tensor }
      : { kind: 'tensor', value: tensor };
  }

  function numberAttribute(number: string): Attribute {
    if (/^-?\d+$/.test(number)) return { kind: 'int', value: BigInt(number) };
    at -= number.length;
    return { kind: 'float', value: Math.fround(parseNumber()) };
  }

  function parseListAttribute(): Attribute {
    const start = at;
    expect('[');
    const items = list(']', parseAttribute);
    const kinds = new Set(items.map((item) => item.kind));
    const [kind] = kinds;
    if (kind === undefined) return fail('an empty list needs its kind: ints[]', start);
    if (kinds.size > 1)
      return fail(`a list holds one kind of values, not ${[...kinds].join(' and ')}`, start);
    if (!['float', 'int', 'string', 'tensor', 'sparse-tensor', 'graph', 'type'].includes(kind)) {
      return fail(`a list cannot hold ${kind}`, start);
    }
    return { kind: `${kind}s`, value: items.map((item) => (item as { value: unknown }).value) } as Attribute;
  }

  // --- types and tensors ------------------------------------------------------------------------------------------

  function parseValueInfo(): ValueInfo {
    const name = parseName();
    return accept(':') ? { name, type: parseType() } : { name };
  }

  function parseType(): ValueType {
    return nested(() => {
      match(SPACES);
      for (const kind of ['sequence', 'optional'] as const) {
        if (!accept(`${kind}(`)) continue;
        const element = parseType();
        expect(')');
        return { kind, element };
      }
      if (accept('map(')) {
        const key = parseDataType();
        expect(',');
        const value = parseType();
        expect(')');
        return { kind: 'map', key, value };
      }
      const kind = acceptWord('sparse') ? 'sparse-tensor' : 'tensor';
      const dtype = parseDataType();
      const shape = parseShape();
      return { kind, dtype, ...(shape === undefined ? {} : { shape }) };
    });
  }

  function parseDataType(): DataType {
    match(SPACES);
    const start = at;
    const name = match(WORD)?.[0] ?? fail('expected a data type or a value');
    return name in DATA_TYPE_CODES ? (name as DataType) : fail(`'${name}' is not a data type`, start);
  }

  function parseShape(): Shape | undefined {
    expect('[');
    return accept('*]') ? undefined : list(']', parseOneDim);
  }

  function parseOneDim(): Dim {
    const start = at;
    const dim = expectPattern(DIM, 'a dimension').trim();
    if (dim === '?') return null;
    try {
      return parseDim(dim);
    } catch (error) {
      return fail((error as Error).message, start);
    }
  }

  function parseDims(): number[] {
    const start = at;
    const dims = parseShape();
    if (!dims?.every((dim) => typeof dim === 'number' && dim >= 0))
      fail("a tensor's dims are numbers", start);
    return dims as number[];
  }

  function parseTensor(): Tensor {
    if (acceptWord('sparse')) return parseSparse();
    const dtype = parseDataType();
    const dims = parseDims();
    match(SPACES);
    return dtype === 'string' ? parseStringTensor(dims) : parseDense(dtype, dims);
  }

  function parseSparse(): SparseTensor {
    const start = at;
    const dtype = parseDataType();
    const dims = parseDims();
    const [indices, values] = [parseTensor(), parseTensor()];
    if (indices.kind !== 'dense' || values.kind !== 'dense' || dtype === 'string') {
      return fail('a sparse tensor needs dense indices and values', start);
    }
    return { kind: 'sparse', dtype, dims, indices, values };
  }

  function parseStringTensor(dims: number[]): StringTensor {
    const start = at;
    if (match(HASH)) return failHash(start);
    expect('{');
    const strings = list('}', parseBytes);
    checkCount(strings.length, elementCount(dims), start);
    return { kind: 'string', dtype: 'string', dims, strings };
  }

  function parseDense(dtype: DenseTensor['dtype'], dims: number[]): DenseTensor {
    const start = at;
    const count = elementCount(dims);
    if (match(HASH)) return failHash(start);
    if (accept('random(')) return parseRandom(dtype, dims, start);
    if (accept('fill(')) {
      const value = parseElement(dtype);
      expect(')');
      return denseTensor(
        dtype,
        dims,
        elementArray(dtype, count, () => value, start),
      );
    }
    if (peek('x"')) {
      const data = parseHex();
      checkCount(data.length, byteLengthOf(dtype, count), start);
      return { kind: 'dense', dtype, dims, data };
    }
    expect('{');
    const elements = list('}', () => parseElement(dtype));
    checkCount(elements.length, count, start);
    return denseTensor(
      dtype,
      dims,
      elementArray(dtype, count, (i) => elements[i] ?? '0', start),
    );
  }

  function parseRandom(dtype: DenseTensor['dtype'], dims: number[], start: number): DenseTensor {
    const [seed, low, high, ...others] = list(')', parseNumber);
    if (seed === undefined || (low !== undefined && high === undefined) || others.length > 0) {
      return fail('expected random(seed) or random(seed, low, high)', start);
    }
    try {
      return randomTensor(
        dtype,
        dims,
        seed,
        low === undefined || high === undefined ? undefined : [low, high],
      );
    } catch (error) {
      return fail((error as Error).message, start);
    }
  }

  function failHash(start: number): never {
    return fail(
      'hash(…) stands for content that is not in the text; write random(…), fill(…) or the values',
      start,
    );
  }

  function checkCount(actual: number, expected: number, start: number): void {
    if (actual !== expected) fail(`the shape needs ${expected} entries, got ${actual}`, start);
  }

  function parseElement(dtype: DenseTensor['dtype']): string {
    if (dtype !== 'bool') return expectPattern(NUMBER, 'a number');
    const word = expectPattern(WORD, "'true' or 'false'");
    if (word !== 'true' && word !== 'false') fail("expected 'true' or 'false'");
    return word === 'true' ? '1' : '0';
  }

  function elementArray(
    dtype: DenseTensor['dtype'],
    count: number,
    element: (index: number) => string,
    start: number,
  ): TypedArray {
    const make = ELEMENT_ARRAYS[dtype] ?? fail(`${dtype} elements are written as raw bytes: x"…"`, start);
    const values = Array.from({ length: count }, (_, i) => element(i));
    try {
      return make(values);
    } catch {
      return fail(`a value does not fit ${dtype}`, start);
    }
  }
}

function emptyGraph(name: string): Graph {
  return { name, inputs: [], outputs: [], nodes: [], initializers: new Map(), valueInfo: new Map() };
}

type MakeArray = (values: readonly string[]) => TypedArray;

const numbers = (values: readonly string[]): number[] =>
  values.map((value) => Number(value.replace('inf', 'Infinity')));

const ELEMENT_ARRAYS: Readonly<Partial<Record<DataType, MakeArray>>> = {
  float32: (values) => Float32Array.from(numbers(values)),
  float64: (values) => Float64Array.from(numbers(values)),
  bool: (values) => Uint8Array.from(numbers(values)),
  int8: (values) => exact(values, Int8Array.from(numbers(values))),
  uint8: (values) => exact(values, Uint8Array.from(numbers(values))),
  int16: (values) => exact(values, Int16Array.from(numbers(values))),
  uint16: (values) => exact(values, Uint16Array.from(numbers(values))),
  int32: (values) => exact(values, Int32Array.from(numbers(values))),
  uint32: (values) => exact(values, Uint32Array.from(numbers(values))),
  int64: (values) => exact(values, BigInt64Array.from(values.map(BigInt))),
  uint64: (values) => exact(values, BigUint64Array.from(values.map(BigInt))),
};

/** Integers wrap silently in typed arrays; a text that asks for 300 as uint8 is wrong. */
function exact<T extends TypedArray>(values: readonly string[], array: T): T {
  if (values.some((value, i) => BigInt(value) !== BigInt(array[i] ?? 0)))
    throw new RangeError('does not fit');
  return array;
}
