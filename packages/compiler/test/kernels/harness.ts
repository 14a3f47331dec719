import {
  BROWSER_TILE,
  KernelLibrary,
  KERNEL_CONSTANTS_BYTES,
  emitProbe,
  MODE,
  type FloatTileSize,
  type Rung,
} from '../../src/targets/edge/kernels/index.ts';
import { ModuleBuilder, type FunctionRef, type Params } from '../../src/wasm/index.ts';

// Runs in Node and in a page: no imports beyond the compiler's own.

const CONSTANTS = 1024;
const FIRST_FREE = CONSTANTS + KERNEL_CONSTANTS_BYTES;
const GUARD_BYTES = 64;
const GUARD = 0xa5;

export type ModeName = keyof typeof MODE;

/** A rig without its kernel. */
export type RigMemory = Omit<KernelRig<Params>, 'call'>;

/** One module with one kernel, and memory to run it on. Buffers are 16-byte aligned and have guards around. */
export class KernelRig<P extends Params> {
  readonly memory: WebAssembly.Memory;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #kernel: FunctionRef<P, undefined>;
  readonly #exports: Record<string, (...args: number[]) => number>;
  readonly #guards: number[] = [];
  #next = FIRST_FREE;

  constructor(
    rung: Rung,
    emit: (library: KernelLibrary) => FunctionRef<P, undefined>,
    pages = 64,
    floatTile: FloatTileSize = BROWSER_TILE,
  ) {
    const module = new ModuleBuilder();
    module.importMemory('env', 'memory', { min: pages, max: pages });
    const library = new KernelLibrary(module, { rung, floatTile, constantsAddress: CONSTANTS });
    this.#kernel = emit(library);
    module.export('kernel', this.#kernel);
    module.function('setMode', { params: { mode: 'i32' }, export: 'setMode' }, (f, p) =>
      f.set(library.mode, p.mode),
    );
    library.finish();
    this.bytes = module.finish();
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const instance = new WebAssembly.Instance(new WebAssembly.Module(this.bytes), {
      env: { memory: this.memory },
    });
    this.#exports = instance.exports as Record<string, (...args: number[]) => number>;
  }

  /** The kernel's parameters, in order. */
  get paramNames(): string[] {
    return Object.keys(this.#kernel.params);
  }

  setMode(mode: ModeName): void {
    this.#exports['setMode']?.(MODE[mode]);
  }

  /** Room for some bytes, filled with the guard value: reading before writing shows. */
  allocate(bytes: number): number {
    const address = this.#next + GUARD_BYTES;
    const end = Math.ceil((address + bytes) / 16) * 16;
    new Uint8Array(this.memory.buffer).fill(GUARD, this.#next, end + GUARD_BYTES);
    this.#guards.push(this.#next, end);
    this.#next = end + GUARD_BYTES;
    return address;
  }

  /** Copies an array in; `stride` elements from row to row of `columns`, the padding is left as garbage. */
  put(
    values: Float32Array | Int32Array | Uint32Array | Int8Array | Uint8Array,
    columns?: number,
    stride?: number,
  ): number {
    const width = columns ?? values.length;
    const step = stride ?? width;
    const size = values.BYTES_PER_ELEMENT;
    const rows = width === 0 ? 0 : values.length / width;
    const address = this.allocate(rows * step * size + 32);
    const source = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    for (let row = 0; row < rows; row++) {
      const part = source.subarray(row * width * size, (row + 1) * width * size);
      new Uint8Array(this.memory.buffer).set(part, address + row * step * size);
    }
    return address;
  }

  floats(address: number, rows: number, columns: number, stride: number): Float32Array {
    return Float32Array.from(gather(new Float32Array(this.memory.buffer, address), rows, columns, stride));
  }

  ints(address: number, length: number): Int32Array {
    return new Int32Array(this.memory.buffer, address, length).slice();
  }

  rawBytes(address: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, address, length).slice();
  }

  call(args: { readonly [K in keyof P]: number }): void {
    this.#exports['kernel']?.(...this.paramNames.map((name) => args[name as keyof P]));
  }

  /** Throws when something was written outside the buffers. */
  checkGuards(): void {
    const bytes = new Uint8Array(this.memory.buffer);
    for (const at of this.#guards) {
      const guard = bytes.subarray(at, at + GUARD_BYTES);
      if (guard.some((byte) => byte !== GUARD)) throw new Error(`wrote outside a buffer, near ${at}`);
    }
  }
}

function* gather(all: Float32Array, rows: number, columns: number, stride: number): Generator<number> {
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) yield all[row * stride + column] as number;
  }
}

/** The modes whose dots are exact here, for weights of 7 and of 8 bits. */
export function exactModes(rung: Rung): Record<7 | 8, ModeName[]> {
  if (rung === 'simd') return { 7: ['i16'], 8: ['i16'] };
  const rig = new KernelRig('relaxed', emitProbe);
  const out = rig.allocate(16);
  const probe = (kind: number, weight: number, activation: number): number => {
    const a = rig.put(new Int8Array(16).fill(weight));
    const b = rig.put(new Uint8Array(16).fill(activation));
    rig.call({ kind, a, b, out });
    return rig.ints(out, 1)[0] as number;
  };
  const matches = (kind: number, low: number, high: number, read: (byte: number) => number): boolean =>
    [low, -1, 0, 1, high].every((a) =>
      [0, 1, 127, 128, 255].every((b) => probe(kind, a, b) === 4 * a * read(b)),
    );
  const asU8 = (byte: number): number => byte;
  const asS8 = (byte: number): number => (byte << 24) >> 24;
  const modesFor = (low: number, high: number): ModeName[] => [
    'i16',
    ...(matches(0, low, high, asU8) ? (['u8'] as const) : []),
    ...(matches(0, low, high, asS8) ? (['s8'] as const) : []),
    ...(matches(1, -64, 63, asU8) ? (['pairs'] as const) : []),
  ];
  return { 7: modesFor(-64, 63), 8: modesFor(-127, 127) };
}
