import type { DataType } from './data-type.ts';
import type { Dim, Shape } from './dim.ts';
import type { Attribute, Graph, Model, ModelFunction, Node, ValueInfo, ValueType } from './model.ts';
import { hasDefaultRange, randomRecipe } from './placeholder.ts';
import { isBareName } from './text-scanner.ts';
import { elementCount, typedData, type DenseTensor, type StringTensor, type Tensor } from './tensor.ts';

export interface PrintOptions {
  /** Tensors with more elements than this print as a placeholder. Default 32. */
  readonly inlineElements?: number;
}

const INLINE_ELEMENTS = 32;
const INDENT = '  ';

/**
 * The text form of a model: what fixtures, diffs and bug reports show.
 *
 * ```
 * ir 10
 * opset ai.onnx 17
 *
 * graph main {
 *   input x: float32[batch,seq,32]
 *   constant w: float32[32,64] random(7)
 *   h: float32[batch,seq,64] = MatMul(x, w) @/encoder/MatMul
 *   y = edgewise.Linear(h, v, _) activation="gelu"
 *   output y: float32[batch,seq,8]
 * }
 * ```
 *
 * One statement a line: inputs, constants, nodes (`outputs = domain.Op(inputs) attributes @name`), outputs. `_` is an
 * omitted value, `?` an unknown dimension, `float32[*]` a tensor of unknown rank. Float attributes always have a point
 * or an exponent, so that `axis=1` is an int and `alpha=1.0` a float. Tensors: `{1, 2}` lists all elements, `x"00ff"`
 * their raw bytes, `fill(1)` repeats one, `random(7)` and `random(7, 0, 99)` are `randomTensor`, and `hash(…)` stands
 * for a large tensor's content. `# ` starts a comment.
 *
 * Doc strings, the metadata of nodes, values and graphs, and declared types that only repeat a constant's are left out. `parseModel` reads the text back; for text
 * without `hash(…)`, printing what was parsed gives the same text.
 */
export function printModel(model: Model, options: PrintOptions = {}): string {
  const printer = createPrinter(options);
  const header = [
    `ir ${model.irVersion}`,
    ...printOpsets(model.opsets),
    ...(model.producer.name || model.producer.version
      ? [`producer ${JSON.stringify(model.producer.name)} ${JSON.stringify(model.producer.version)}`]
      : []),
    ...(model.domain ? [`domain ${JSON.stringify(model.domain)}`] : []),
    ...(model.modelVersion === 0n ? [] : [`version ${model.modelVersion}`]),
    ...[...model.metadata].map(([key, value]) => `metadata ${JSON.stringify(key)} ${JSON.stringify(value)}`),
  ];
  const parts = [
    header.join('\n'),
    `graph ${printer.graph(model.graph, 0)}`,
    ...model.functions.map(printer.function),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** The text form of one graph, as it stands inside `printModel`. */
export function printGraph(graph: Graph, options: PrintOptions = {}): string {
  return `graph ${createPrinter(options).graph(graph, 0)}\n`;
}

/** One node as a line of text, for messages: `h = MatMul(x, w)`. */
export function printNode(node: Node, options: PrintOptions = {}): string {
  return createPrinter(options).node(node, new Map(), 0);
}

/** `float32[batch,3]`, `sequence(int64[])`, … */
export function printType(type: ValueType): string {
  switch (type.kind) {
    case 'tensor':
      return type.dtype + printShape(type.shape);
    case 'sparse-tensor':
      return `sparse ${type.dtype}${printShape(type.shape)}`;
    case 'sequence':
    case 'optional':
      return `${type.kind}(${printType(type.element)})`;
    case 'map':
      return `map(${type.key}, ${printType(type.value)})`;
  }
}

interface Printer {
  readonly graph: (graph: Graph, depth: number) => string;
  readonly function: (fn: ModelFunction) => string;
  readonly node: (node: Node, types: ReadonlyMap<string, ValueInfo>, depth: number) => string;
}

function createPrinter({ inlineElements = INLINE_ELEMENTS }: PrintOptions): Printer {
  return { graph: printGraphBody, function: printFunction, node: printNodeLine };

  function printGraphBody(graph: Graph, depth: number): string {
    const produced = new Set(graph.nodes.flatMap((node) => node.outputs));
    const declared = [...graph.valueInfo.values()].filter(
      (info) => !produced.has(info.name) && !repeatsConstant(info, graph.initializers.get(info.name)),
    );
    return block(printName(graph.name), depth, [
      ...graph.inputs.map((info) => `input ${printValueInfo(info)}`),
      ...[...graph.initializers].map(
        ([name, tensor]) => `constant ${printName(name)}: ${printTensor(tensor)}`,
      ),
      ...declared.map((info) => `value ${printValueInfo(info)}`),
      ...(graph.quantizationAnnotations ?? []).map(
        ({ tensor, parameters }) => `quantization ${printName(tensor)}${printPairs(parameters)}`,
      ),
      ...graph.nodes.map((node) => printNodeLine(node, graph.valueInfo, depth + 1)),
      ...graph.outputs.map((info) => `output ${printValueInfo(info)}`),
    ]);
  }

  function printFunction(fn: ModelFunction): string {
    const produced = new Set(fn.nodes.flatMap((node) => node.outputs));
    const types = new Map((fn.valueInfo ?? []).map((info) => [info.name, info]));
    const name = printOperator(fn.domain, fn.name, fn.overload);
    return block(`function ${name}(${printNames(fn.inputs)}) -> (${printNames(fn.outputs)})`, 0, [
      ...printOpsets(fn.opsets),
      ...fn.attributes.map((attribute) => `attribute ${printName(attribute)}`),
      ...[...fn.attributeDefaults].map(
        ([key, value]) => `attribute ${printName(key)} = ${printAttribute(value, 1)}`,
      ),
      ...[...types.values()]
        .filter((info) => !produced.has(info.name))
        .map((info) => `value ${printValueInfo(info)}`),
      ...fn.nodes.map((node) => printNodeLine(node, types, 1)),
    ]);
  }

  function printNodeLine(node: Node, types: ReadonlyMap<string, ValueInfo>, depth: number): string {
    const outputs = node.outputs.map((name) => {
      const info = types.get(name);
      return name === '' || info === undefined ? printName(name) : printValueInfo(info);
    });
    const call = `${printOperator(node.domain, node.opType, node.overload)}(${printNames(node.inputs)})`;
    const attributes = [...node.attributes].map(
      ([key, value]) => ` ${printName(key)}=${printAttribute(value, depth)}`,
    );
    const name = node.name ? ` @${printName(node.name)}` : '';
    return (outputs.length > 0 ? `${outputs.join(', ')} = ` : '') + call + attributes.join('') + name;
  }

  function printAttribute(attribute: Attribute, depth: number): string {
    switch (attribute.kind) {
      case 'float':
        return printFloatAttribute(attribute.value);
      case 'int':
        return String(attribute.value);
      case 'string':
        return printBytes(attribute.value);
      case 'tensor':
      case 'sparse-tensor':
        return printTensor(attribute.value);
      case 'graph':
        return `graph ${printGraphBody(attribute.value, depth)}`;
      case 'type':
        return `type ${printType(attribute.value)}`;
      case 'floats':
        return printList('floats', attribute.value.map(printFloatAttribute));
      case 'ints':
        return printList('ints', attribute.value.map(String));
      case 'strings':
        return printList('strings', attribute.value.map(printBytes));
      case 'tensors':
      case 'sparse-tensors':
        return printList(attribute.kind, attribute.value.map(printTensor));
      case 'graphs':
        return printList('graphs', attribute.value.map((graph) => `graph ${printGraphBody(graph, depth)}`)); // prettier-ignore
      case 'types':
        return printList('types', attribute.value.map((type) => `type ${printType(type)}`)); // prettier-ignore
      case 'reference':
        return `ref ${printName(attribute.name)} ${attribute.type}`;
    }
  }

  function printTensor(tensor: Tensor): string {
    const type = `${tensor.dtype}${printShape(tensor.dims)}`;
    if (tensor.kind === 'dense') return `${type} ${printDense(tensor)}`;
    if (tensor.kind === 'string') return `${type} ${printStrings(tensor)}`;
    return `sparse ${type} ${printTensor(tensor.indices)} ${printTensor(tensor.values)}`;
  }

  function printDense(tensor: DenseTensor): string {
    const recipe = randomRecipe(tensor);
    if (recipe !== undefined) {
      const range = hasDefaultRange(tensor.dtype, recipe) ? '' : `, ${recipe.low}, ${recipe.high}`;
      return `random(${recipe.seed}${range})`;
    }
    const inline = elementCount(tensor.dims) <= inlineElements;
    const repeated = inline ? undefined : repeatedElement(tensor);
    if (repeated !== undefined) {
      const one = printElements({ ...tensor, dims: [1], data: repeated });
      if (one !== undefined) return `fill(${one})`;
    }
    if (!inline) return `hash(${hashBytes(tensor.data)})`;
    const elements = printElements(tensor);
    return elements === undefined ? printHex(tensor.data) : `{${elements}}`;
  }

  function printStrings({ strings }: StringTensor): string {
    if (strings.length <= inlineElements) return `{${strings.map(printBytes).join(', ')}}`;
    return `hash(${hashBytes(new TextEncoder().encode(strings.map(printBytes).join()))})`;
  }
}

function block(head: string, depth: number, lines: readonly string[]): string {
  const indent = INDENT.repeat(depth);
  return [`${head} {`, ...lines.map((line) => indent + INDENT + line), `${indent}}`].join('\n');
}

function printOpsets(opsets: ReadonlyMap<string, number>): string[] {
  return [...opsets].map(([domain, version]) => `opset ${printName(domain || 'ai.onnx')} ${version}`);
}

function printValueInfo({ name, type }: ValueInfo): string {
  return type === undefined ? printName(name) : `${printName(name)}: ${printType(type)}`;
}

const BARE_OPERATOR = /^(?:[A-Za-z][\w-]*\.)*\w+$/;

function printName(name: string): string {
  if (name === '') return '_';
  return isBareName(name) ? name : JSON.stringify(name);
}

function printNames(names: readonly string[]): string {
  return names.map(printName).join(', ');
}

function printOperator(domain: string, name: string, overload: string | undefined): string {
  const bare = domain === '' ? name : `${domain}.${name}`;
  const isBare = BARE_OPERATOR.test(bare) && !name.includes('.');
  const operator = isBare ? bare : `${JSON.stringify(domain)}.${JSON.stringify(name)}`;
  return overload ? `${operator}:${JSON.stringify(overload)}` : operator;
}

function printPairs(pairs: ReadonlyMap<string, string>): string {
  return [...pairs].map(([key, value]) => ` ${JSON.stringify(key)} ${JSON.stringify(value)}`).join('');
}

/** Exporters declare the types of constants again; that says nothing new. */
function repeatsConstant({ type }: ValueInfo, tensor: Tensor | undefined): boolean {
  if (tensor === undefined || tensor.kind === 'sparse' || type === undefined) return false;
  return printType(type) === `${tensor.dtype}${printShape(tensor.dims)}`;
}

function printShape(shape: Shape | undefined): string {
  return shape === undefined ? '[*]' : `[${shape.map(printDim).join(',')}]`;
}

function printDim(dim: Dim): string {
  return dim === null ? '?' : String(dim);
}

function printList(kind: string, items: readonly string[]): string {
  return items.length === 0 ? `${kind}[]` : `[${items.join(', ')}]`;
}

function printBytes(bytes: Uint8Array): string {
  try {
    return JSON.stringify(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return printHex(bytes);
  }
}

function printHex(bytes: Uint8Array): string {
  return `x"${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}"`;
}

/** The shortest decimal that reads back as the same float32. */
function printFloat32(value: number): string {
  if (value === 0) return printFloat64(value);
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return printFloat64(short);
  }
  return printFloat64(Number(value.toPrecision(9)));
}

function printFloat64(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value);
  return value > 0 ? 'inf' : '-inf';
}

function printFloatAttribute(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  const text = printFloat32(Math.fround(value));
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

/** Element texts; undefined for types without a decimal form and for NaN, whose bits matter. */
function printElements(tensor: DenseTensor): string | undefined {
  const format = ELEMENT_FORMATS[tensor.dtype];
  if (format === undefined) return undefined;
  const values = Array.from<number | bigint>(typedData(tensor) as ArrayLike<number>);
  if (values.some((value) => Number.isNaN(value)) || (tensor.dtype === 'bool' && values.some((v) => v > 1))) {
    return undefined;
  }
  return values.map(format).join(', ');
}

const ELEMENT_FORMATS: Readonly<Partial<Record<DataType, (value: number | bigint) => string>>> = {
  float32: (value) => printFloat32(Number(value)),
  float64: (value) => printFloat64(Number(value)),
  bool: (value) => String(value === 1),
  int8: String,
  uint8: String,
  int16: String,
  uint16: String,
  int32: String,
  uint32: String,
  int64: String,
  uint64: String,
};

/** The bytes of the one element that fills the whole tensor, if it is filled with one. */
function repeatedElement({ data, dims }: DenseTensor): Uint8Array | undefined {
  const size = data.length / elementCount(dims);
  if (!Number.isInteger(size) || size === 0) return undefined;
  for (let i = size; i < data.length; i++) if (data[i] !== data[i - size]) return undefined;
  return data.subarray(0, size);
}

/** 64 bits of content hash in hex (two FNV-1a lanes with different offsets): tells tensors apart, not adversaries. */
function hashBytes(bytes: Uint8Array): string {
  let a = 0x811c9dc5;
  let b = 0x9747b28c;
  for (const byte of bytes) {
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(b ^ byte, 0x5bd1e995);
  }
  return [a, b].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('');
}
