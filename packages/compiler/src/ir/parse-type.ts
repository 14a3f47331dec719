import { DATA_TYPE_CODES, type DataType } from './data-type.ts';
import { parseDim, type Dim, type Shape } from './dim.ts';
import type { ValueInfo, ValueType } from './model.ts';
import type { TextScanner } from './text-scanner.ts';

const WORD = /[A-Za-z][\w-]*/y;
const DIM = /(?:"(?:[^"\\\n]|\\.)*"|[^,\]"\n])+/y;

/** `name` or `name: type`. */
export function parseValueInfo(scanner: TextScanner): ValueInfo {
  const name = scanner.name();
  return scanner.accept(':') ? { name, type: parseType(scanner) } : { name };
}

/** `float32[batch,3]`, `sparse int8[2]`, `sequence(…)`, `optional(…)`, `map(int64, …)`. */
export function parseType(scanner: TextScanner): ValueType {
  return scanner.nested(() => {
    if (scanner.accept('sequence(')) return { kind: 'sequence', element: parseElementType(scanner) };
    if (scanner.accept('optional(')) return { kind: 'optional', element: parseElementType(scanner) };
    if (scanner.accept('map(')) {
      const key = parseDataType(scanner);
      scanner.expect(',');
      return { kind: 'map', key, value: parseElementType(scanner) };
    }
    const kind = scanner.acceptWord('sparse') ? 'sparse-tensor' : 'tensor';
    const dtype = parseDataType(scanner);
    const shape = parseShape(scanner);
    return { kind, dtype, ...(shape === undefined ? {} : { shape }) };
  });
}

export function parseDataType(scanner: TextScanner): DataType {
  const name = scanner.expectPattern(WORD, 'a data type or a value');
  return name in DATA_TYPE_CODES
    ? (name as DataType)
    : scanner.fail(`'${name}' is not a data type`, scanner.at - name.length);
}

/** The dims of a tensor: numbers only. */
export function parseDims(scanner: TextScanner): number[] {
  const start = scanner.at;
  const dims = parseShape(scanner) ?? [null];
  const numbers = dims.filter((dim) => typeof dim === 'number' && dim >= 0);
  return numbers.length === dims.length
    ? (numbers as number[])
    : scanner.fail("a tensor's dims are numbers", start);
}

function parseElementType(scanner: TextScanner): ValueType {
  const element = parseType(scanner);
  scanner.expect(')');
  return element;
}

function parseShape(scanner: TextScanner): Shape | undefined {
  scanner.expect('[');
  return scanner.accept('*]') ? undefined : scanner.list(']', () => parseOneDim(scanner));
}

function parseOneDim(scanner: TextScanner): Dim {
  const start = scanner.at;
  const dim = scanner.expectPattern(DIM, 'a dimension').trim();
  if (dim === '?') return null;
  try {
    return parseDim(dim);
  } catch (error) {
    return scanner.fail((error as Error).message, start);
  }
}
