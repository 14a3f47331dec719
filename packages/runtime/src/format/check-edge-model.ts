import { at, fail, finite, int, list, oneOf, optional, text, type Field } from './check.ts';

/** WebAssembly memory ends at 4 GiB; one page less keeps every end address a u32. */
const MAX_MEMORY_BYTES = 2 ** 32 - 2 ** 16;
const MAX_SECTIONS = 100_000;
const MAX_INPUTS = 64;
/** Programs made to look into a model have an output per layer. */
const MAX_OUTPUTS = 10_000;
const MAX_RANK = 8;
const MAX_SEQUENCE = 1 << 20;
const MAX_THREADS = 64;
const MAX_EXPAND_ARGUMENTS = 8;
const INT32_MAX = 2 ** 31 - 1;
const ELEMENT_BYTES = 4;

interface Range {
  readonly field: Field;
  readonly start: number;
  readonly end: number;
}

/** `fileBytes` checks that a field names a file of the package and returns the file's size. */
export function checkEdgeModel(model: Field, fileBytes: (field: Field) => number): void {
  const programs = at(model, 'programs');
  fileBytes(at(programs, 'relaxed'));
  fileBytes(at(programs, 'simd'));

  const { memoryBytes, weightsBytes } = checkMemory(at(model, 'memory'));
  const weights = at(model, 'weights');
  checkSections(at(weights, 'sections'), fileBytes(at(weights, 'file')), weightsBytes);

  const sequence = optional(at(at(model, 'dims'), 'sequence'), (field) =>
    int(at(field, 'max'), 1, MAX_SEQUENCE),
  );
  const inputs = list(at(model, 'inputs'), 1, MAX_INPUTS);
  for (const input of inputs) {
    const shape = checkTensor(input, sequence);
    const elements = shape.reduce((product, dim) => product * dim, 1);
    checkAddress(at(input, 'address'), elements, weightsBytes, memoryBytes);
    optional(at(input, 'default'), (field) => oneOf(field, ['ones', 'zeros']));
    optional(at(input, 'range'), (field) => list(field, 2, 2).map(finite));
  }
  const outputs = list(at(model, 'outputs'), 1, MAX_OUTPUTS);
  for (const output of outputs) {
    const shape = checkTensor(output, sequence);
    const row = shape.at(-1) ?? 1;
    const rows = shape.slice(0, -1).reduce((product, dim) => product * dim, 1);
    const stride = int(at(output, 'rowStride'), row, MAX_MEMORY_BYTES / ELEMENT_BYTES);
    checkAddress(at(output, 'address'), (rows - 1) * stride + row, weightsBytes, memoryBytes);
    optional(at(output, 'countAddress'), (field) => checkAddress(field, 1, weightsBytes, memoryBytes));
  }
  checkDistinct(inputs);
  checkDistinct(outputs);
  optional(at(model, 'macsPerToken'), finite);
}

function checkMemory(memory: Field): { memoryBytes: number; weightsBytes: number } {
  const memoryBytes = int(at(memory, 'bytes'), 1, MAX_MEMORY_BYTES);
  const threads = int(at(memory, 'maxThreads'), 1, MAX_THREADS);
  const most =
    threads === 1 ? MAX_MEMORY_BYTES : Math.floor((MAX_MEMORY_BYTES - memoryBytes) / (threads - 1));
  int(at(memory, 'perThreadBytes'), 0, most);
  const weightsBytes = int(at(memory, 'weightsBytes'), 0, memoryBytes);
  int(at(memory, 'arenaBytes'), 0, memoryBytes - weightsBytes);
  return { memoryBytes, weightsBytes };
}

function checkSections(sections: Field, fileBytes: number, weightsBytes: number): void {
  let previousEnd = 0;
  const ranges = list(sections, 0, MAX_SECTIONS).map((section): Range => {
    const offset = int(at(section, 'offset'), previousEnd, fileBytes);
    const bytes = int(at(section, 'bytes'), 0, fileBytes - offset);
    previousEnd = offset + bytes;
    const memoryBytes = checkEncoding(section, bytes, weightsBytes);
    const start = int(at(section, 'address'), 0, weightsBytes - memoryBytes);
    return { field: section, start, end: start + memoryBytes };
  });
  ranges.sort((a, b) => a.start - b.start);
  ranges.forEach(({ field, start }, index) => {
    const before = ranges[index - 1];
    if (before && start < before.end) fail(field, `apart in memory from ${before.field.path}`);
  });
}

/** Returns the bytes that the section takes in memory. */
function checkEncoding(section: Field, bytes: number, weightsBytes: number): number {
  const size = at(section, 'bytes');
  if (bytes > weightsBytes) fail(size, `at most memory.weightsBytes (${weightsBytes})`);
  if (oneOf(at(section, 'encoding'), ['raw', 'int4']) === 'raw') return bytes;
  const count = int(at(section, 'count'), 1, weightsBytes);
  if (bytes !== Math.ceil(count / 2)) fail(size, `half of count (${count}), rounded up`);
  optional(at(section, 'arguments'), (field) => {
    for (const argument of list(field, 0, MAX_EXPAND_ARGUMENTS)) int(argument, -INT32_MAX - 1, 2 ** 32 - 1);
  });
  return count;
}

/** Returns the shape at its largest. */
function checkTensor(tensor: Field, sequence: number | undefined): number[] {
  text(at(tensor, 'name'));
  oneOf(at(tensor, 'dtype'), ['int32', 'float32']);
  return list(at(tensor, 'shape'), 0, MAX_RANK).map((dim) =>
    dim.value === 'sequence' && sequence !== undefined ? sequence : int(dim, 1, INT32_MAX),
  );
}

/** A tensor lies behind the weights, in the arena or the scratch of thread 0. */
function checkAddress(address: Field, elements: number, low: number, high: number): void {
  const last = high - elements * ELEMENT_BYTES;
  if (last < low)
    fail(address, `where ${elements} elements fit between the weights and the end of the memory`);
  if (int(address, low, last) % ELEMENT_BYTES !== 0) fail(address, 'a multiple of 4');
}

function checkDistinct(tensors: readonly Field[]): void {
  const names = new Set<unknown>();
  for (const tensor of tensors) {
    const name = at(tensor, 'name');
    if (names.has(name.value)) fail(name, 'a name that no other has');
    names.add(name.value);
  }
}
