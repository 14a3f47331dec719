import { flatten, signed, sized, text, unsigned, type Code } from './encoding.ts';
import { FunctionBuilder, localAt } from './function-builder.ts';
import {
  VALUE_TYPE_CODES,
  type FunctionRef,
  type Global,
  type Local,
  type Params,
  type ValueType,
} from './types.ts';

const MAGIC_AND_VERSION = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const SECTION = { type: 1, import: 2, function: 3, global: 6, export: 7, code: 10, data: 11 };
const KIND_FUNCTION = 0;
const KIND_MEMORY = 2;
const FUNCTION_TYPE = 0x60;
const MUTABLE = 1;
const HAS_MAXIMUM = 0x01;
const HAS_MAXIMUM_AND_SHARED = 0x03;

/** Pages of 64 KiB. `max` is always written: shared memories need one (see memoryFlagOffset). */
export interface MemoryLimits {
  min: number;
  max: number;
  shared?: boolean;
}

export interface FunctionOptions<P extends Params, R extends ValueType | undefined> {
  params: P;
  result?: R;
  /** Name under which the function is exported; not exported when left out. */
  export?: string;
}

/** The parameters of a function as locals, by name. */
export type ParamLocals<P extends Params> = { readonly [K in keyof P]: Local<P[K]> };

/**
 * Writes one WebAssembly module. Functions are numbered in the order they are made, so a function can only call
 * those made before it.
 *
 *     const m = new ModuleBuilder();
 *     m.importMemory('env', 'memory', { min: 1, max: 1 });
 *     m.function('fill', { params: { to: 'i32', end: 'i32' }, export: 'fill' }, (f, { to, end }) => {
 *       f.whileBelow(to, end, 16, () => f.do(v128.store(to, v128.zero())));
 *     });
 *     const bytes = m.finish();
 */
export class ModuleBuilder {
  readonly #types: string[] = [];
  readonly #functionTypes: number[] = [];
  readonly #bodies: Code[] = [];
  readonly #globals: Code[] = [];
  readonly #exports: Code[] = [];
  readonly #data: Code[] = [];
  #memory: Code | undefined;

  importMemory(module: string, name: string, { min, max, shared = false }: MemoryLimits): void {
    const flag = shared ? HAS_MAXIMUM_AND_SHARED : HAS_MAXIMUM;
    this.#memory = [text(module), text(name), KIND_MEMORY, flag, unsigned(min), unsigned(max)];
  }

  /** A mutable i32, one per instance. */
  globalI32(initial: number): Global<'i32'> {
    const globalIndex = this.#globals.length;
    this.#globals.push([VALUE_TYPE_CODES.i32, MUTABLE, 0x41, signed(initial), 0x0b]);
    return { type: 'i32', globalIndex, code: [0x23, unsigned(globalIndex)] };
  }

  /** Bytes that instantiation writes to memory at a fixed address. */
  data(address: number, bytes: Uint8Array): void {
    this.#data.push([0, 0x41, signed(address), 0x0b, sized(bytes)]);
  }

  /**
   * Adds a function. The body may add further functions to the module before it calls them.
   *
   * A function with a result ends with `f.return(value)` on every path.
   */
  function<P extends Params, R extends ValueType | undefined = undefined>(
    name: string,
    options: FunctionOptions<P, R>,
    body: (f: FunctionBuilder, params: ParamLocals<P>) => void,
  ): FunctionRef<P, R> {
    const names = Object.keys(options.params);
    const types = Object.values(options.params);
    const f = new FunctionBuilder(names.length);
    const locals = names.map((param, index) => [param, localAt(types[index] as ValueType, index)] as const);
    body(f, Object.fromEntries(locals) as unknown as ParamLocals<P>);
    if (options.result) f.unreachable();

    const index = this.#bodies.length;
    this.#bodies.push(f.finish());
    this.#functionTypes.push(this.#typeIndex(types, options.result));
    if (options.export !== undefined) {
      this.#exports.push([text(options.export), KIND_FUNCTION, unsigned(index)]);
    }
    return { index, name, params: options.params, result: options.result as R };
  }

  /** Exports a function that exists already. */
  export(name: string, target: FunctionRef): void {
    this.#exports.push([text(name), KIND_FUNCTION, unsigned(target.index)]);
  }

  /** The module's bytes. */
  finish(): Uint8Array<ArrayBuffer> {
    const types = this.#types.map((type) => type.split(',').map(Number));
    const section = (id: number, items: readonly Code[]): Code =>
      items.length === 0 ? [] : [id, sized([unsigned(items.length), items])];
    return flatten([
      MAGIC_AND_VERSION,
      section(SECTION.type, types),
      section(SECTION.import, this.#memory ? [this.#memory] : []),
      section(
        SECTION.function,
        this.#functionTypes.map((type) => unsigned(type)),
      ),
      section(SECTION.global, this.#globals),
      section(SECTION.export, this.#exports),
      section(SECTION.code, this.#bodies),
      section(SECTION.data, this.#data),
    ]);
  }

  #typeIndex(params: readonly ValueType[], result: ValueType | undefined): number {
    const codes = (types: readonly ValueType[]): number[] => [
      ...unsigned(types.length),
      ...types.map((type) => VALUE_TYPE_CODES[type]),
    ];
    const key = [FUNCTION_TYPE, ...codes(params), ...codes(result ? [result] : [])].join(',');
    const known = this.#types.indexOf(key);
    if (known >= 0) return known;
    this.#types.push(key);
    return this.#types.length - 1;
  }
}
