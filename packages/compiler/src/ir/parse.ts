import type { Attribute, Graph, Model, ModelFunction, Node, ValueInfo } from './model.ts';
import { parseTensor } from './parse-tensor.ts';
import { parseType, parseValueInfo } from './parse-type.ts';
import { numberOf, TextScanner } from './text-scanner.ts';

export interface ParseOptions {
  /** File name for messages. */
  readonly file?: string;
}

const DEFAULT_IR_VERSION = 10;
const DEFAULT_OPSETS = [
  ['', 21],
  ['edgewise', 1],
] as const;

const OPERATOR = /(?:[A-Za-z][\w-]*\.)*\w+/y;
/** The start of a node without outputs. */
const CALL =
  /(?:(?:[A-Za-z][\w-]*\.)*\w+|"(?:[^"\\\n]|\\.)*"\."(?:[^"\\\n]|\\.)*")(?::"(?:[^"\\\n]|\\.)*")?\(/y;
const EMPTY_LIST = /(floats|ints|strings|tensors|sparse-tensors|graphs|types)\[\]/y;
const REFERENCE_TYPE = /[A-Z_]+/y;

/**
 * Reads the text form that `printModel` documents. Nodes are kept in their order, the other statements may come anywhere;
 * the header may be left out (IR version 10, ai.onnx 21, edgewise 1).
 * @throws CompilerError `bad-file` naming line and column.
 */
export function parseModel(text: string, options: ParseOptions = {}): Model {
  const scanner = new TextScanner(text, options.file);
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
  for (scanner.skipBlank(); !scanner.acceptWord('graph'); scanner.skipBlank()) parseHeader(scanner, model);
  if (model.opsets.size === 0) model.opsets = new Map(DEFAULT_OPSETS);
  model.graph = parseGraphBody(scanner);
  for (scanner.skipBlank(); scanner.acceptWord('function'); scanner.skipBlank()) {
    model.functions.push(parseFunction(scanner));
  }
  scanner.endText();
  return model;
}

/** Reads one `graph name { … }`. @throws CompilerError `bad-file` naming line and column. */
export function parseGraph(text: string, options: ParseOptions = {}): Graph {
  const scanner = new TextScanner(text, options.file);
  scanner.skipBlank();
  scanner.expectWord('graph');
  const graph = parseGraphBody(scanner);
  scanner.endText();
  return graph;
}

function parseHeader(scanner: TextScanner, model: Model): void {
  if (scanner.acceptWord('ir')) model.irVersion = scanner.integer();
  else if (scanner.acceptWord('opset')) parseOpset(scanner, model.opsets);
  else if (scanner.acceptWord('producer'))
    model.producer = { name: scanner.string(), version: scanner.string() };
  else if (scanner.acceptWord('domain')) model.domain = scanner.string();
  else if (scanner.acceptWord('version')) model.modelVersion = BigInt(scanner.integerText());
  else if (scanner.acceptWord('metadata')) model.metadata.set(scanner.string(), scanner.string());
  else scanner.fail("expected 'ir', 'opset', 'producer', 'domain', 'version', 'metadata' or 'graph'");
  scanner.endStatement();
}

function parseOpset(scanner: TextScanner, opsets: Map<string, number>): void {
  const domain = scanner.name();
  opsets.set(domain === 'ai.onnx' ? '' : domain, scanner.integer());
}

function emptyGraph(name: string): Graph {
  return { name, inputs: [], outputs: [], nodes: [], initializers: new Map(), valueInfo: new Map() };
}

function parseGraphBody(scanner: TextScanner): Graph {
  const graph = emptyGraph(scanner.name());
  scanner.block(() => parseStatement(scanner, graph));
  return graph;
}

function parseStatement(scanner: TextScanner, graph: Graph): void {
  if (scanner.acceptWord('input')) graph.inputs.push(parseValueInfo(scanner));
  else if (scanner.acceptWord('output')) graph.outputs.push(parseValueInfo(scanner));
  else if (scanner.acceptWord('constant')) parseConstant(scanner, graph);
  else if (scanner.acceptWord('value')) declare(scanner, graph.valueInfo, parseValueInfo(scanner));
  else if (scanner.acceptWord('quantization')) parseQuantization(scanner, graph);
  else graph.nodes.push(parseNode(scanner, graph.valueInfo));
}

function parseConstant(scanner: TextScanner, graph: Graph): void {
  const name = scanner.name();
  if (graph.initializers.has(name)) scanner.fail(`the constant '${name}' is defined twice`);
  scanner.expect(':');
  graph.initializers.set(name, parseTensor(scanner));
}

function parseQuantization(scanner: TextScanner, graph: Graph): void {
  const tensor = scanner.name();
  const parameters = new Map<string, string>();
  while (scanner.peek('"')) parameters.set(scanner.string(), scanner.string());
  graph.quantizationAnnotations = [...(graph.quantizationAnnotations ?? []), { tensor, parameters }];
}

function parseFunction(scanner: TextScanner): ModelFunction {
  const { domain, opType: name, overload } = parseOperator(scanner);
  const inputs = parseNames(scanner);
  scanner.expect('->');
  const outputs = parseNames(scanner);
  const opsets = new Map<string, number>();
  const attributes: string[] = [];
  const attributeDefaults = new Map<string, Attribute>();
  const types = new Map<string, ValueInfo>();
  const nodes: Node[] = [];
  scanner.block(() => {
    if (scanner.acceptWord('opset')) parseOpset(scanner, opsets);
    else if (scanner.acceptWord('value')) declare(scanner, types, parseValueInfo(scanner));
    else if (scanner.acceptWord('attribute')) {
      const attribute = scanner.name();
      if (scanner.accept('=')) attributeDefaults.set(attribute, parseAttribute(scanner));
      else attributes.push(attribute);
    } else nodes.push(parseNode(scanner, types));
  });
  const valueInfo = types.size === 0 ? {} : { valueInfo: [...types.values()] };
  const variant = overload === undefined ? {} : { overload };
  return {
    name,
    domain,
    ...variant,
    inputs,
    outputs,
    attributes,
    attributeDefaults,
    nodes,
    opsets,
    ...valueInfo,
  };
}

function parseNode(scanner: TextScanner, types: Map<string, ValueInfo>): Node {
  const outputs = scanner.sees(CALL) ? [] : parseOutputs(scanner, types);
  const { domain, opType, overload } = parseOperator(scanner);
  const inputs = parseNames(scanner);
  const attributes = new Map<string, Attribute>();
  while (!scanner.atLineEnd() && !scanner.peek('@')) {
    const key = scanner.name();
    if (attributes.has(key)) scanner.fail(`the attribute '${key}' is given twice`);
    scanner.expect('=');
    attributes.set(key, parseAttribute(scanner));
  }
  const name = scanner.accept('@') ? scanner.name() : '';
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

function parseNames(scanner: TextScanner): string[] {
  scanner.expect('(');
  return scanner.list(')', () => scanner.name());
}

function parseOutputs(scanner: TextScanner, types: Map<string, ValueInfo>): string[] {
  const outputs: string[] = [];
  do {
    const info = parseValueInfo(scanner);
    outputs.push(info.name);
    if (info.type !== undefined) declare(scanner, types, info);
  } while (scanner.accept(','));
  scanner.expect('=');
  return outputs;
}

function declare(scanner: TextScanner, types: Map<string, ValueInfo>, info: ValueInfo): void {
  if (types.has(info.name)) scanner.fail(`the type of '${info.name}' is declared twice`);
  types.set(info.name, info);
}

/** `MatMul`, `com.microsoft.Gelu` or `"any domain"."any name"`, and perhaps `:"overload"`. */
function parseOperator(scanner: TextScanner): {
  domain: string;
  opType: string;
  overload: string | undefined;
} {
  const [domain, opType] = scanner.peek('"') ? parseQuotedOperator(scanner) : parseBareOperator(scanner);
  return { domain, opType, overload: scanner.accept(':') ? scanner.string() : undefined };
}

function parseQuotedOperator(scanner: TextScanner): [domain: string, opType: string] {
  const domain = scanner.string();
  scanner.expect('.');
  return [domain, scanner.string()];
}

function parseBareOperator(scanner: TextScanner): [domain: string, opType: string] {
  const name = scanner.expectPattern(OPERATOR, 'an operator');
  const dot = name.lastIndexOf('.');
  return [name.slice(0, Math.max(dot, 0)), name.slice(dot + 1)];
}

function parseAttribute(scanner: TextScanner): Attribute {
  if (scanner.peek('[')) return parseListAttribute(scanner);
  if (scanner.peek('"') || scanner.peek('x"')) return { kind: 'string', value: scanner.bytes() };
  if (scanner.acceptWord('graph')) return { kind: 'graph', value: parseGraphBody(scanner) };
  if (scanner.acceptWord('type')) return { kind: 'type', value: parseType(scanner) };
  if (scanner.acceptWord('ref')) {
    return { kind: 'reference', name: scanner.name(), type: scanner.expectPattern(REFERENCE_TYPE, 'a type') };
  }
  if (scanner.seesNumber()) return parseNumberAttribute(scanner);
  const emptyKind = scanner.match(EMPTY_LIST)?.[1];
  if (emptyKind !== undefined) return { kind: emptyKind, value: [] } as unknown as Attribute;
  const tensor = parseTensor(scanner);
  return tensor.kind === 'sparse'
    ? { kind: 'sparse-tensor', value: tensor }
    : { kind: 'tensor', value: tensor };
}

/** A point, an exponent, `inf` or `nan` makes a float; floats have the precision of the file format. */
function parseNumberAttribute(scanner: TextScanner): Attribute {
  const text = scanner.numberText();
  return /^-?\d+$/.test(text)
    ? { kind: 'int', value: BigInt(text) }
    : { kind: 'float', value: Math.fround(numberOf(text)) };
}

const LIST_ITEMS = new Set<string>(['float', 'int', 'string', 'tensor', 'sparse-tensor', 'graph', 'type']);

function parseListAttribute(scanner: TextScanner): Attribute {
  const start = scanner.at;
  scanner.expect('[');
  const items = scanner.list(']', () => scanner.nested(() => parseAttribute(scanner)));
  const kinds = [...new Set(items.map((item) => item.kind))];
  const [kind] = kinds;
  if (kind === undefined) return scanner.fail('an empty list needs its kind: ints[]', start);
  if (kinds.length > 1)
    return scanner.fail(`a list holds one kind of values, not ${kinds.join(' and ')}`, start);
  if (!LIST_ITEMS.has(kind)) return scanner.fail(`a list cannot hold ${kind}`, start);
  return { kind: `${kind}s`, value: items.map((item) => (item as { value: unknown }).value) } as Attribute;
}
