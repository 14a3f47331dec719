import { byteLengthOf, type DataType } from './data-type.ts';
import { parseDataType, parseDims } from './parse-type.ts';
import { randomTensor } from './placeholder.ts';
import { denseTensor, elementCount, type DenseTensor, type SparseTensor, type Tensor } from './tensor.ts';
import type { TypedArray } from './tensor.ts';
import { numberOf, type TextScanner } from './text-scanner.ts';

/** A slip in a fixture should not take the machine's memory. */
const MAX_ELEMENTS = 1e8;

const BOOLEAN = /true|false/y;

/** `float32[2] {1, 2}`, `float16[1] x"003c"`, `int8[4] fill(1)`, `int64[9] random(7, 0, 99)`, `sparse …`. */
export function parseTensor(scanner: TextScanner): Tensor {
  if (scanner.acceptWord('sparse')) return parseSparse(scanner);
  const dtype = parseDataType(scanner);
  const dims = parseDims(scanner);
  if (scanner.peek('hash(')) {
    return scanner.fail(
      'hash(…) stands for content that is not in the text; write random(…), fill(…) or the values',
    );
  }
  if (dtype !== 'string') return parseDense(scanner, dtype, dims);
  const start = scanner.at;
  scanner.expect('{');
  const strings = scanner.list('}', () => scanner.bytes());
  checkCount(scanner, strings.length, elementCount(dims), start);
  return { kind: 'string', dtype, dims, strings };
}

function parseSparse(scanner: TextScanner): SparseTensor {
  const start = scanner.at;
  const dtype = parseDataType(scanner);
  const dims = parseDims(scanner);
  const [indices, values] = [parseTensor(scanner), parseTensor(scanner)];
  if (indices.kind !== 'dense' || values.kind !== 'dense' || dtype === 'string') {
    return scanner.fail('a sparse tensor needs dense indices and values', start);
  }
  return { kind: 'sparse', dtype, dims, indices, values };
}

function parseDense(scanner: TextScanner, dtype: DenseTensor['dtype'], dims: number[]): DenseTensor {
  const start = scanner.at;
  const count = elementCount(dims);
  if (count > MAX_ELEMENTS) scanner.fail(`the text form makes at most ${MAX_ELEMENTS} elements`, start);
  if (scanner.accept('random(')) return parseRandom(scanner, dtype, dims, start);
  if (scanner.accept('fill(')) {
    const value = parseElement(scanner, dtype);
    scanner.expect(')');
    return denseTensor(
      dtype,
      dims,
      makeArray(
        scanner,
        dtype,
        Array.from({ length: count }, () => value),
        start,
      ),
    );
  }
  if (scanner.peek('x"')) {
    const data = scanner.hex();
    checkCount(scanner, data.length, byteLengthOf(dtype, count), start);
    return { kind: 'dense', dtype, dims, data };
  }
  scanner.expect('{');
  const elements = scanner.list('}', () => parseElement(scanner, dtype));
  checkCount(scanner, elements.length, count, start);
  return denseTensor(dtype, dims, makeArray(scanner, dtype, elements, start));
}

function parseRandom(
  scanner: TextScanner,
  dtype: DenseTensor['dtype'],
  dims: number[],
  start: number,
): DenseTensor {
  const [seed, low, high, ...others] = scanner.list(')', () => numberOf(scanner.numberText()));
  if (seed === undefined || (low !== undefined && high === undefined) || others.length > 0) {
    return scanner.fail('expected random(seed) or random(seed, low, high)', start);
  }
  const range = low === undefined || high === undefined ? undefined : ([low, high] as const);
  try {
    return randomTensor(dtype, dims, seed, range);
  } catch (error) {
    return scanner.fail((error as Error).message, start);
  }
}

function checkCount(scanner: TextScanner, actual: number, expected: number, start: number): void {
  if (actual !== expected) scanner.fail(`the shape needs ${expected} entries, got ${actual}`, start);
}

function parseElement(scanner: TextScanner, dtype: DenseTensor['dtype']): string {
  if (dtype !== 'bool') return scanner.numberText();
  return scanner.expectPattern(BOOLEAN, "'true' or 'false'") === 'true' ? '1' : '0';
}

function makeArray(
  scanner: TextScanner,
  dtype: DenseTensor['dtype'],
  elements: readonly string[],
  start: number,
): TypedArray {
  const make = ELEMENT_ARRAYS[dtype];
  if (make === undefined) return scanner.fail(`${dtype} elements are written as raw bytes: x"…"`, start);
  try {
    return make(elements);
  } catch {
    return scanner.fail(`a value does not fit ${dtype}`, start);
  }
}

type MakeArray = (values: readonly string[]) => TypedArray;

const ELEMENT_ARRAYS: Readonly<Partial<Record<DataType, MakeArray>>> = {
  float32: (values) => Float32Array.from(values, numberOf),
  float64: (values) => Float64Array.from(values, numberOf),
  bool: (values) => Uint8Array.from(values, numberOf),
  int8: (values) => exact(values, Int8Array.from(values, numberOf)),
  uint8: (values) => exact(values, Uint8Array.from(values, numberOf)),
  int16: (values) => exact(values, Int16Array.from(values, numberOf)),
  uint16: (values) => exact(values, Uint16Array.from(values, numberOf)),
  int32: (values) => exact(values, Int32Array.from(values, numberOf)),
  uint32: (values) => exact(values, Uint32Array.from(values, numberOf)),
  int64: (values) => exact(values, BigInt64Array.from(values, BigInt)),
  uint64: (values) => exact(values, BigUint64Array.from(values, BigInt)),
};

/** Integers wrap silently in typed arrays; a text that asks for 300 as uint8 is wrong. */
function exact<T extends TypedArray>(values: readonly string[], array: T): T {
  if (values.some((value, i) => BigInt(value) !== BigInt(array[i] ?? 0)))
    throw new RangeError('does not fit');
  return array;
}
