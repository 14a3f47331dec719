import {
  i32,
  v128,
  type Expr,
  type FunctionRef,
  type Global,
  type ModuleBuilder,
  type Params,
  type ValueType,
} from '../../../wasm/index.ts';

/** Which instructions a module may use: with relaxed SIMD, or plain SIMD128 only. */
export type Rung = 'relaxed' | 'simd';

/** Codes of the integer modes, docs/architecture.md section 6. */
export const MODE = { i16: 0, u8: 1, s8: 2, pairs: 3 } as const;

/** Room to keep free in memory for the constants of the kernels (polynomials and the like). */
export const KERNEL_CONSTANTS_BYTES = 4096;

/** Rows of a tile of floats, and products in one turn of its loop. */
export interface FloatTileSize {
  readonly height: number;
  readonly unroll: number;
}

/** 10 sums, 2 weights, an activation and a product: what fits into 15 registers. */
export const BROWSER_TILE: FloatTileSize = { height: 5, unroll: 4 };
/**
 * For Node 20, whose compiler loads all that a turn reads before it multiplies: 8 sums, 2 weights and 4 activations. 1.6 times as fast
 * there, a tenth slower in Chromium.
 */
export const NODE_TILE: FloatTileSize = { height: 4, unroll: 1 };

export interface KernelLibraryOptions {
  rung: Rung;
  /** Does not change results. Default BROWSER_TILE. */
  floatTile?: FloatTileSize;
  /** Where instantiation writes the kernels' constants: KERNEL_CONSTANTS_BYTES bytes, 16-byte aligned. */
  constantsAddress: number;
}

/**
 * The kernels of one module: each emitter adds its function once per spec.
 *
 * Conventions that all kernels share:
 * - Pointers, sizes and row numbers are i32; pointers are byte addresses of row 0, and a kernel works on the rows
 *   [m0, m1). Strides in specs count elements.
 * - Float rows are padded to a multiple of 8 columns, and so are gamma, beta, bias and the like: kernels read and
 *   write the padding, but nothing in it ever influences a result. Rows outside [m0, m1) are not written.
 * - Every constant buffer starts at a multiple of 16 bytes.
 */
export class KernelLibrary {
  readonly module: ModuleBuilder;
  readonly rung: Rung;
  readonly floatTile: FloatTileSize;
  /** The integer mode of this instance (MODE); a program's `init` sets it. */
  readonly mode: Global<'i32'>;
  readonly #constantsAddress: number;
  readonly #functions = new Map<string, FunctionRef>();
  readonly #constants: number[] = [];

  constructor(module: ModuleBuilder, options: KernelLibraryOptions) {
    this.module = module;
    this.rung = options.rung;
    this.floatTile = options.floatTile ?? BROWSER_TILE;
    this.mode = module.globalI32(MODE.i16);
    this.#constantsAddress = options.constantsAddress;
  }

  /** The function for this name and spec, made on first use. `make` gets a name that tells both. */
  once<P extends Params, R extends ValueType | undefined>(
    kernel: string,
    spec: object,
    make: (name: string) => FunctionRef<P, R>,
  ): FunctionRef<P, R> {
    const name = `${kernel} ${JSON.stringify(spec)}`;
    const known = this.#functions.get(name);
    if (known) return known as FunctionRef<P, R>;
    const made = make(name);
    this.#functions.set(name, made as FunctionRef);
    return made;
  }

  /**
   * A float constant in all lanes, read from memory where it is used: V8 builds vector constants from integer
   * registers, and one kept in a register costs an accumulator in the inner loops.
   */
  splat(value: number): Expr<'v128'> {
    return this.splatBits(new Int32Array(new Float32Array([value]).buffer)[0] as number);
  }

  /** An i32 constant in all lanes, read from memory. */
  splatBits(bits: number): Expr<'v128'> {
    let index = this.#constants.indexOf(bits);
    if (index < 0) {
      index = this.#constants.length;
      this.#constants.push(bits);
    }
    return v128.load32Splat(i32.const(0), this.#constantsAddress + 4 * index);
  }

  /** Writes the constants into the module. Call once, after the last emitter. */
  finish(): void {
    const bytes = new Uint8Array(Int32Array.from(this.#constants).buffer);
    if (bytes.length > KERNEL_CONSTANTS_BYTES) throw new Error('KERNEL_CONSTANTS_BYTES is too small.');
    if (bytes.length > 0) this.module.data(this.#constantsAddress, bytes);
  }
}
