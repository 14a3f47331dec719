import type { EdgeDim, EdgeInput, EdgeModel, EdgeOutput } from '../format/index.ts';
import { RuntimeError } from '../runtime-error.ts';
import type { Feeds, Tensor } from '../session/session.ts';

/** A model whose dimensions are all fixed. */
export const FIXED = { max: 1 } as const;

/** The length that the feeds give the sequence dimension; its upper bound when no input varies. */
export function sequenceOf(model: EdgeModel, feeds: Feeds): number {
  const { max } = model.dims.sequence ?? FIXED;
  let sequence: number | undefined;
  for (const input of model.inputs) {
    const feed = Object.hasOwn(feeds, input.name) ? feeds[input.name] : undefined;
    if (!feed) {
      if (!input.default) throw bad(`input "${input.name}" is missing`);
      continue;
    }
    const length = lengthFor(input, feed.length, max);
    if (length === undefined) continue;
    if (sequence !== undefined && length !== sequence) {
      throw bad(`input "${input.name}" has sequence ${length}, another input ${sequence}`);
    }
    sequence = length;
  }
  const unknown = Object.keys(feeds).find((name) => !model.inputs.some((input) => input.name === name));
  if (unknown !== undefined) {
    throw bad(`there is no input "${unknown}"; there is ${model.inputs.map(({ name }) => name).join(', ')}`);
  }
  return sequence ?? max;
}

/** Writes what was fed, and the defaults of what was not, where the program expects it. */
export function writeInputs(model: EdgeModel, feeds: Feeds, sequence: number, memory: ArrayBufferLike): void {
  for (const input of model.inputs) {
    const target = view(input, memory, elements(input.shape, sequence));
    const feed = Object.hasOwn(feeds, input.name) ? feeds[input.name] : undefined;
    if (feed) {
      checkValues(input, feed);
      target.set(feed);
    } else {
      target.fill(input.default === 'ones' ? 1 : 0);
    }
  }
}

/** Copies an output out of the program's memory; a view on it is enough where rows lie without gaps. */
export function readOutput(
  output: EdgeOutput,
  sequence: number,
  memory: ArrayBufferLike,
  viewIsEnough?: boolean,
): Tensor {
  const shape = shapeOf(output, sequence, memory);
  const row = shape.at(-1) ?? 1;
  const rows = elements(shape.slice(0, -1), sequence);
  const source = view(output, memory, Math.max(0, (rows - 1) * output.rowStride + row));
  if (output.rowStride === row)
    return { dtype: output.dtype, shape, data: viewIsEnough ? source : source.slice() };
  const data = output.dtype === 'float32' ? new Float32Array(rows * row) : new Int32Array(rows * row);
  // Element by element: the rows of detection heads are short, and views of them cost more than what they copy.
  for (let index = 0, to = 0; index < rows; index++) {
    const start = index * output.rowStride;
    for (let from = start; from < start + row; from++) data[to++] = source[from] ?? 0;
  }
  return { dtype: output.dtype, shape, data };
}

/** The shape that an output has after a run. */
function shapeOf({ shape, countAddress }: EdgeOutput, sequence: number, memory: ArrayBufferLike): number[] {
  const [first = 1, ...rest] = shape.map((dim) => (dim === 'sequence' ? sequence : dim));
  if (shape.length === 0) return [];
  const count = countAddress === undefined ? first : (new Int32Array(memory, countAddress, 1)[0] ?? 0);
  return [Math.min(first, count), ...rest];
}

function lengthFor({ name, shape }: EdgeInput, length: number, max: number): number | undefined {
  const degree = shape.filter((dim) => dim === 'sequence').length;
  const fixed = elements(shape, 1);
  if (degree === 0) {
    if (length !== fixed) throw bad(`input "${name}" takes ${fixed} values, not ${length}`);
    return undefined;
  }
  const sequence = Math.round((length / fixed) ** (1 / degree));
  if (sequence < 1 || sequence > max || elements(shape, sequence) !== length) {
    throw bad(`input "${name}" [${shape.join(', ')}] cannot take ${length} values; sequence is 1 to ${max}`);
  }
  return sequence;
}

function checkValues({ name, range, dtype }: EdgeInput, feed: ArrayLike<number>): void {
  if (!range && dtype === 'float32') return;
  const [low, high] = range ?? [-(2 ** 31), 2 ** 31 - 1];
  for (let index = 0; index < feed.length; index++) {
    const value = feed[index] as number;
    if (value >= low && value <= high && (dtype === 'float32' || Number.isInteger(value))) continue;
    const kind = dtype === 'int32' ? 'whole numbers' : 'numbers';
    throw bad(`input "${name}" takes ${kind} from ${low} to ${high}; value ${index} is ${value}`);
  }
}

function view(
  { dtype, address }: EdgeInput | EdgeOutput,
  memory: ArrayBufferLike,
  length: number,
): Float32Array | Int32Array {
  return dtype === 'float32'
    ? new Float32Array(memory, address, length)
    : new Int32Array(memory, address, length);
}

function elements(shape: readonly EdgeDim[], sequence: number): number {
  return shape.reduce<number>((product, dim) => product * (dim === 'sequence' ? sequence : dim), 1);
}

function bad(message: string): RuntimeError {
  return new RuntimeError('bad-input', message);
}
