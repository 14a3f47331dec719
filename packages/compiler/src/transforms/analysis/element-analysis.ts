import {
  dimSymbols,
  typedData,
  type DenseTensor,
  type Node,
  type Tensor,
  type TensorType,
} from '../../ir/index.ts';
import { operatorName, type GraphView } from '../../rewrite/index.ts';
import { intAttribute, intsAttribute, tensorAttribute } from '../node-attributes.ts';
import { applyFunction, indicesOf, isElementFunction, scalar, type Element } from './element.ts';
import {
  add,
  flatten,
  isNonNegative,
  multiply,
  subtract,
  unflatten,
  type Coordinates,
  type Index,
} from './index-arithmetic.ts';

/** Larger constants are not searched for a rule behind their elements. */
const PATTERN_MAX_ELEMENTS = 1 << 16;

export interface ElementQuery {
  readonly coordinates: Coordinates;
  /** Values that are not looked into, beside those whose operator is unknown here. Default: none. */
  readonly stop?: ReadonlySet<string>;
}

/**
 * Says what one element of a value is, in terms of elements of other values: follows shape arithmetic, index arithmetic,
 * data movement and element-wise operators backwards. `attention mask, expanded, cast, subtracted from 1, …` becomes one
 * formula over `attention_mask[b, k]`, whatever operators an exporter chose to write it with.
 *
 * Assumes that dimensions are at least 1 and that indices computed by the graph are in range.
 */
export class ElementAnalysis {
  readonly #graph: GraphView;
  readonly typeOf: (value: string) => TensorType | undefined;

  constructor(graph: GraphView, typeOf: (value: string) => TensorType | undefined) {
    this.#graph = graph;
    this.typeOf = typeOf;
  }

  /** Extents of a value; undefined unless all are known, as numbers or symbols. */
  shape(value: string): readonly Index[] | undefined {
    const shape = this.#graph.constant(value)?.dims ?? this.typeOf(value)?.shape;
    return shape?.every((dim) => dim !== null) === true ? shape : undefined;
  }

  /** The element of `value` at these coordinates; an opaque `read` where the analysis ends. */
  at(value: string, at: readonly Index[], query: ElementQuery): Element {
    const known = new Map<string, Element>();
    const ask = (name: string, position: readonly Index[]): Element => {
      const key = `${name}@${position.join(',')}`;
      let element = known.get(key);
      if (element === undefined) {
        element = this.#step(name, position, { ...query, ask }) ?? {
          kind: 'read',
          value: name,
          at: position,
        };
        known.set(key, element);
      }
      return element;
    };
    return ask(value, at);
  }

  #step(value: string, at: readonly Index[], context: Context): Element | undefined {
    if (context.stop?.has(value) === true) return undefined;
    const constant = this.#graph.constant(value);
    if (constant !== undefined) return constantElement(constant, at);
    const node = this.#graph.producer(value);
    if (node === undefined || node.outputs[0] !== value || node.domain !== '') return undefined;
    if (isElementFunction(node.opType)) return this.#elementwise(node, at, context);
    const follow = FOLLOW[operatorName(node)];
    return follow?.({ node, at, output: value, analysis: this, ...context });
  }

  #elementwise(node: Node, at: readonly Index[], context: Context): Element | undefined {
    const values: Element[] = [];
    for (const input of node.inputs) {
      const position = this.broadcast(input, at);
      if (position === undefined) return undefined;
      values.push(context.ask(input, position));
    }
    return applyFunction(this.#functionOf(node), values, context.coordinates);
  }

  #functionOf(node: Node): string {
    const isInteger = this.typeOf(node.outputs[0] ?? '')?.dtype.includes('int') === true;
    return node.opType === 'Div' && isInteger ? 'DivInteger' : node.opType;
  }

  /** Where an element of the broadcast result lies in the input. */
  broadcast(input: string, at: readonly Index[]): Index[] | undefined {
    const shape = this.shape(input);
    if (shape === undefined || shape.length > at.length) return undefined;
    const offset = at.length - shape.length;
    return shape.map((extent, axis) => (extent === 1 ? 0 : (at[axis + offset] ?? 0)));
  }
}

interface Context extends ElementQuery {
  readonly ask: (value: string, at: readonly Index[]) => Element;
}

interface Step extends Context {
  readonly node: Node;
  readonly output: string;
  readonly at: readonly Index[];
  readonly analysis: ElementAnalysis;
}

/** How an element of the output follows from the inputs, by operator; undefined where it cannot be said. */
const FOLLOW: Readonly<Record<string, (step: Step) => Element | undefined>> = {
  Identity: ({ node, at, ask }) => ask(input(node, 0), at),
  Cast: followCast,
  Constant: ({ node, at }) => {
    const tensor = tensorAttribute(node, 'value');
    return tensor && constantElement(tensor, at);
  },
  ConstantOfShape: ({ node }) => {
    const fill = tensorAttribute(node, 'value');
    return fill === undefined ? scalar(0) : constantElement(fill, [0]);
  },
  Shape: followShape,
  Range: followRange,
  Reshape: followReshape,
  Flatten: followReshape,
  Squeeze: followReshape,
  Unsqueeze: followReshape,
  Expand: followExpand,
  Transpose: followTranspose,
  Slice: followSlice,
  Concat: followConcat,
  Gather: followGather,
  GatherElements: followGatherElements,
  GatherND: followGatherNd,
};

const CAST_TO = { float32: 1, int32: 6, int64: 7, bool: 9, float64: 11 } as const;

/** Rounding to float32 is left out, like everywhere here; types that numbers would wrap in are not followed. */
function followCast({ node, at, ask, coordinates }: Step): Element | undefined {
  const from = ask(input(node, 0), at);
  switch (intAttribute(node, 'to', 0)) {
    case CAST_TO.float32:
    case CAST_TO.float64:
      return from;
    case CAST_TO.int32:
    case CAST_TO.int64:
      return applyFunction('ToInteger', [from], coordinates);
    case CAST_TO.bool:
      return applyFunction('ToBool', [from], coordinates);
    default:
      return undefined;
  }
}

function followShape({ node, at, analysis }: Step): Element | undefined {
  const shape = analysis.shape(input(node, 0));
  if (shape === undefined || typeof at[0] !== 'number') return undefined;
  const start = intAttribute(node, 'start', 0);
  const extent = shape[(start < 0 ? Math.max(0, start + shape.length) : start) + at[0]];
  return extent === undefined ? undefined : scalar(extent);
}

function followRange({ node, at, ask, coordinates }: Step): Element | undefined {
  const [start, delta] = [ask(input(node, 0), []), ask(input(node, 2), [])];
  const offset = applyFunction('Mul', [scalar(at[0] ?? 0), delta], coordinates);
  return applyFunction('Add', [start, offset], coordinates);
}

function followReshape({ node, output, at, ask, analysis, coordinates }: Step): Element | undefined {
  const [from, to] = [analysis.shape(input(node, 0)), analysis.shape(output)];
  if (from === undefined || to === undefined) return undefined;
  // Equal extents at either end keep their coordinates; only what lies between has to be computed.
  const shorter = Math.min(from.length, to.length);
  let head = 0;
  while (head < shorter && from[head] === to[head]) head++;
  let tail = 0;
  while (head + tail < shorter && from.at(-1 - tail) === to.at(-1 - tail)) tail++;
  const position = flatten(at.slice(head, to.length - tail), to.slice(head, to.length - tail));
  if (position === undefined) return undefined;
  const middle = unflatten(position, from.slice(head, from.length - tail), coordinates);
  return middle && ask(input(node, 0), [...at.slice(0, head), ...middle, ...at.slice(to.length - tail)]);
}

function followExpand({ node, at, ask, analysis }: Step): Element | undefined {
  const source = analysis.broadcast(input(node, 0), at);
  return source && ask(input(node, 0), source);
}

function followTranspose({ node, at, ask }: Step): Element | undefined {
  const permutation = intsAttribute(node, 'perm') ?? at.map((_, axis) => at.length - 1 - axis);
  const source: Index[] = [];
  for (const [axis, from] of permutation.entries()) source[from] = at[axis] ?? 0;
  return ask(input(node, 0), source);
}

function followSlice(step: Step): Element | undefined {
  const { node, at, ask, analysis } = step;
  const shape = analysis.shape(input(node, 0));
  const starts = sliceParameter(step, 1, 'starts');
  const axes = sliceParameter(step, 3, 'axes') ?? starts?.map((_, axis) => axis);
  const steps = sliceParameter(step, 4, 'steps') ?? starts?.map(() => 1);
  if (shape === undefined || starts === undefined || axes === undefined || steps === undefined)
    return undefined;
  const source = [...at];
  for (const [i, start] of starts.entries()) {
    const axis = Number(axes[i]) + (Number(axes[i]) < 0 ? shape.length : 0);
    const extent = shape[axis];
    const position = source[axis];
    if (steps[i] !== 1 || typeof start !== 'number' || extent === undefined || position === undefined)
      return undefined;
    const begin = start < 0 ? sliceFromEnd(start, extent) : start;
    const moved = begin === undefined ? undefined : add(position, begin);
    if (moved === undefined) return undefined;
    source[axis] = moved;
  }
  return ask(input(node, 0), source);
}

/** A negative start counts from the end and stops at the beginning. */
function sliceFromEnd(start: number, extent: Index): Index | undefined {
  return typeof extent === 'number' ? Math.max(0, start + extent) : undefined;
}

function sliceParameter({ node, ask, analysis }: Step, slot: number, name: string): Index[] | undefined {
  const listed = intsAttribute(node, name);
  if (listed !== undefined) return listed;
  const value = node.inputs[slot] ?? '';
  const count = value === '' ? undefined : analysis.shape(value)?.[0];
  if (typeof count !== 'number') return undefined;
  const elements = Array.from({ length: count }, (_, i) => ask(value, [i]));
  return elements.every((element) => element.kind === 'scalar')
    ? elements.map((element) => element.value)
    : undefined;
}

function followConcat({ node, at, ask, analysis, coordinates }: Step): Element | undefined {
  let axis = intAttribute(node, 'axis', 0);
  if (axis < 0) axis += at.length;
  let position = at[axis];
  for (const value of node.inputs) {
    const extent = analysis.shape(value)?.[axis];
    if (position === undefined || extent === undefined) return undefined;
    const beyond = subtract(position, extent);
    if (beyond === undefined) return undefined;
    if (!isNonNegative(beyond, coordinates)) {
      const room = subtract(-1, beyond);
      if (room === undefined || !isNonNegative(room, coordinates)) return undefined; // may lie in either part
      return ask(value, at.with(axis, position));
    }
    position = beyond;
  }
  return undefined;
}

function followGather(step: Step): Element | undefined {
  const { node, at, ask, analysis } = step;
  const [data, indices] = [input(node, 0), input(node, 1)];
  const shape = analysis.shape(data);
  const indexShape = analysis.shape(indices);
  if (shape === undefined || indexShape === undefined) return undefined;
  let axis = intAttribute(node, 'axis', 0);
  if (axis < 0) axis += shape.length;
  const index = ask(indices, at.slice(axis, axis + indexShape.length));
  return askIndexed(step, index, shape[axis], (position) => [
    ...at.slice(0, axis),
    position,
    ...at.slice(axis + indexShape.length),
  ]);
}

function followGatherElements(step: Step): Element | undefined {
  const { node, at, ask, analysis } = step;
  let axis = intAttribute(node, 'axis', 0);
  if (axis < 0) axis += at.length;
  const index = ask(input(node, 1), at);
  const extent = analysis.shape(input(node, 0))?.[axis];
  return askIndexed(step, index, extent, (position) => at.with(axis, position));
}

/** Stands for a place that is not known. */
const ANYWHERE = 'at.anywhere';

/** The element of the first input at a computed place; also where the place does not matter. */
function askIndexed(
  { node, ask, coordinates }: Step,
  index: Element,
  extent: Index | undefined,
  place: (position: Index) => readonly Index[],
): Element | undefined {
  if (index.kind !== 'scalar') {
    const element = ask(input(node, 0), place(ANYWHERE));
    return indicesOf(element).some((used) => dimSymbols(used).includes(ANYWHERE)) ? undefined : element;
  }
  const position = wrap(index.value, extent, coordinates);
  return position === undefined ? undefined : ask(input(node, 0), place(position));
}

function followGatherNd({ node, at, ask, analysis, coordinates }: Step): Element | undefined {
  const [data, indices] = [input(node, 0), input(node, 1)];
  const shape = analysis.shape(data);
  const indexShape = analysis.shape(indices);
  const depth = indexShape?.at(-1);
  if (shape === undefined || indexShape === undefined || typeof depth !== 'number') return undefined;
  if (intAttribute(node, 'batch_dims', 0) !== 0) return undefined;
  const lead = at.slice(0, indexShape.length - 1);
  const source: Index[] = [];
  for (let i = 0; i < depth; i++) {
    const index = ask(indices, [...lead, i]);
    const position = index.kind === 'scalar' ? wrap(index.value, shape[i], coordinates) : undefined;
    if (position === undefined) return undefined;
    source.push(position);
  }
  return ask(data, [...source, ...at.slice(lead.length)]);
}

/** A negative index counts from the end; one that may be either is not followed. */
function wrap(index: Index, extent: Index | undefined, coordinates: Coordinates): Index | undefined {
  if (isNonNegative(index, coordinates)) return index;
  return extent === undefined || typeof index === 'string' ? undefined : add(extent, index);
}

function input(node: Node, slot: number): string {
  return node.inputs[slot] ?? '';
}

/** A number where the place is known, all elements are equal, or the elements count along the last axis. */
function constantElement(tensor: Tensor, at: readonly Index[]): Element | undefined {
  if (tensor.kind !== 'dense' || tensor.dtype === 'float16' || tensor.dtype === 'bfloat16') return undefined;
  const place = flatten(at, tensor.dims);
  if (typeof place === 'number' && at.every((index) => typeof index === 'number')) {
    const value = typedData(tensor)[place];
    return value === undefined ? undefined : scalar(Number(value));
  }
  const pattern = patternOf(tensor);
  if (pattern === undefined) return undefined;
  const last = at.at(-1) ?? 0;
  const value = pattern.step === 0 ? 0 : multiply(last, pattern.step);
  const sum =
    value === undefined ? undefined : pattern.step === 0 ? pattern.start : add(value, pattern.start);
  return sum === undefined ? undefined : scalar(sum);
}

/** `start + step · last coordinate` for every element, step 0 for equal elements. */
function patternOf(tensor: DenseTensor): { start: number; step: number } | undefined {
  const data = typedData(tensor);
  if (data.length === 0 || data.length > PATTERN_MAX_ELEMENTS) return undefined;
  const width = tensor.dims.at(-1) ?? 1;
  const start = Number(data[0]);
  const step = width > 1 ? Number(data[1]) - start : 0;
  if (step !== 0 && !(Number.isInteger(step) && Number.isInteger(start))) return undefined;
  for (let i = 0; i < data.length; i++)
    if (
      !Object.is(Number(data[i]), start + step * (i % width)) &&
      Number(data[i]) !== start + step * (i % width)
    )
      return undefined;
  return { start, step };
}
