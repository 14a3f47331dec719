import { CompilerError } from '../../../diagnostics/index.ts';
import { elementCount, typedData, type DenseTensor, type Graph } from '../../../ir/index.ts';
import {
  int8PanelBytes,
  packFloatWeights,
  packInt4Weights,
  packInt8,
  packMultipliers,
  pairFlagWords,
  pairFormOf,
  type Int8PanelFacts,
  type PairForm,
} from '../kernels/index.ts';
import { packInt4, unpackInt4 } from '../../../quantize/weights/pack-int4.ts';
import { expandInt4, padRows } from './int4.ts';
import type { ConvWeight, FloatWeight, QuantizedWeight, Table } from '../program/program.ts';
import { roundUp } from '../program/value.ts';
import type { Fill, WeightsImage } from './weights-image.ts';

/** Columns of a panel; per-column vectors are padded to whole panels. */
const PANEL = 8;

export interface QuantizedWeightNames {
  readonly weight: string;
  readonly scale: string;
  /** `''`: no bias. */
  readonly bias: string;
  /** `''`: weight holds int8. Otherwise weight holds int4. */
  readonly multiplier: string;
}

/** A matrix [k][n] of int8: column c stands for values·scale[c]. */
export interface Int8Matrix {
  readonly k: number;
  readonly n: number;
  readonly values: Int8Array;
  readonly scale: Float32Array;
  readonly bias?: Float32Array | undefined;
}

/** A convolution's constants; all but the panels padded to whole panels. */
export interface ConvConstants {
  readonly pairs: PairForm;
  readonly panels: Int8Array;
  readonly pairFlags: Uint32Array | undefined;
  readonly bias: Int32Array;
  readonly columnSums: Int32Array;
  readonly multiplier: Float32Array;
  readonly isRoundable: boolean;
}

/** Packs a graph's constants for the kernels and puts each into the weights image once. */
export class ConstantStore {
  readonly #graph: Graph;
  readonly #image: WeightsImage;
  readonly #cache = new Map<string, unknown>();

  constructor(graph: Graph, image: WeightsImage) {
    this.#graph = graph;
    this.#image = image;
  }

  /** A constant as the graph has it. */
  tensor(name: string): DenseTensor {
    const tensor = this.#graph.initializers.get(name);
    if (tensor?.kind !== 'dense') throw wrong(name, 'is not a constant');
    return tensor;
  }

  dims(name: string): readonly number[] {
    return this.tensor(name).dims;
  }

  /** The only element of a constant. */
  scalar(name: string): number {
    const tensor = this.tensor(name);
    if (elementCount(tensor.dims) !== 1) throw wrong(name, 'must hold one element');
    return Number(typedData(tensor)[0]);
  }

  /** A float32 vector, padded to whole panels. */
  vector(name: string): number {
    return this.#once(name, 'vector', () => {
      const values = this.#floats(name);
      return this.#image.add(padRows(values, values.length, roundUp(values.length, PANEL)));
    });
  }

  floatWeight(name: string, bias: string): FloatWeight {
    return this.#once(name, `float32 ${bias}`, () => {
      const [k, n] = this.#matrixDims(name);
      return {
        kind: 'float32',
        k,
        n,
        panels: this.#image.addFilled(4 * k * roundUp(n, PANEL), ({ buffer, byteOffset }) => {
          const panels = new Float32Array(buffer, byteOffset, k * roundUp(n, PANEL));
          packFloatWeights(this.#floats(name), k, n, panels);
        }),
        bias: this.#bias(bias, n),
      };
    });
  }

  quantizedWeight({ weight, scale, bias, multiplier }: QuantizedWeightNames): QuantizedWeight {
    return this.#once(weight, `int8 ${bias}`, () => {
      const [k, n] = this.#matrixDims(weight);
      const { pairs, panels, facts } = multiplier
        ? this.#int4(weight, multiplier, k, n)
        : this.#int8(weight, k, n);
      const flagBytes = (4 * pairFlagWords(k) * roundUp(n, PANEL)) / PANEL;
      return {
        kind: 'int8',
        k,
        n,
        pairs,
        pairFlags:
          pairs === 'fused'
            ? this.#image.addFilled(
                flagBytes,
                copyLater(() => facts().pairFlags),
              )
            : 0,
        panels,
        scale: this.vector(scale),
        columnSums: this.#image.addFilled(
          4 * roundUp(n, PANEL),
          copyLater(() => facts().columnSums),
        ),
        bias: this.#bias(bias, n),
      };
    });
  }

  /** Puts a matrix of int8 that was made from constants into the image; `key` tells which. */
  int8Matrix(key: string, make: () => Int8Matrix): QuantizedWeight {
    return this.#once(key, 'int8 matrix', () => {
      const { values, k, n, scale, bias } = make();
      const panels = new Int8Array(int8PanelBytes(k, n));
      const facts = packInt8(values, k, n, panels);
      const pairs = pairFormOf(values, n);
      return {
        kind: 'int8',
        k,
        n,
        pairs,
        pairFlags: pairs === 'fused' ? this.#image.add(facts.pairFlags) : 0,
        panels: this.#image.add(panels),
        scale: this.#image.add(padRows(scale, n, roundUp(n, PANEL))),
        columnSums: this.#image.add(facts.columnSums),
        bias: bias ? this.#image.add(padRows(bias, n, roundUp(n, PANEL))) : this.#bias('', n),
      };
    });
  }

  /** The elements of a constant of any number type. */
  numbers(name: string): readonly number[] {
    return Array.from(typedData(this.tensor(name)) as Float32Array, Number);
  }

  /** A constant of indices (int64 or int32, 0 or more) as int32 without padding. */
  indices(name: string): number {
    const numbers = this.numbers(name);
    if (numbers.some((value) => value < 0 || value >= 2 ** 31))
      throw wrong(name, 'must hold indices from 0 on');
    return this.list(Int32Array.from(numbers));
  }

  /** The elements of a constant; undefined when they are not int8. */
  int8(name: string): Int8Array | undefined {
    const tensor = this.tensor(name);
    return tensor.dtype === 'int8' ? (typedData(tensor) as Int8Array) : undefined;
  }

  /** Puts an array made from a constant into the image; `use` tells arrays of the same constant apart. */
  packed(
    name: string,
    use: string,
    make: (values: Float32Array, dims: readonly number[]) => Float32Array,
  ): number {
    return this.#once(name, use, () => this.#image.add(make(this.#floats(name), this.dims(name))));
  }

  /** A bias of n columns, padded to whole panels; `''`: zeros. */
  bias(name: string, n: number): number {
    return this.#bias(name, n);
  }

  /** Puts a table of 256 bytes into the image, each different one once. */
  byteTable(table: Uint8Array): number {
    return this.#once(table.join(), 'byte table', () => this.#image.add(table));
  }

  /** Puts whole numbers into the image, each different list once. */
  list(values: Int32Array): number {
    return this.#once(values.join(), 'list', () => this.#image.add(values));
  }

  /** Puts what a convolution over bytes reads into the image; `key` says which convolution it is. */
  convWeight(key: string, make: () => ConvConstants): ConvWeight {
    return this.#once(key, 'convolution', () => {
      const { panels, pairFlags, pairs, bias, columnSums, multiplier, isRoundable } = make();
      return {
        pairs,
        isRoundable,
        panels: this.#image.add(panels),
        pairFlags: pairFlags ? this.#image.add(pairFlags) : 0,
        bias: this.#image.add(bias),
        columnSums: this.#image.add(columnSums),
        multiplier: this.#image.add(multiplier),
      };
    });
  }

  /** `scale` `''`: the table is float32. */
  table(name: string, scale: string): Table {
    return this.#once(name, 'table', () => {
      const [rows] = this.#matrixDims(name);
      const { storage, data } = paddedTable(name, this.tensor(name));
      return { storage, rows, address: this.#image.add(data), scale: scale ? this.vector(scale) : 0 };
    });
  }

  #int8(name: string, k: number, n: number): PackedWeight {
    const values = typedData(this.#typed(name, 'int8'));
    let facts: Int8PanelFacts | undefined;
    const panels = this.#image.addFilled(int8PanelBytes(k, n), (place) => {
      facts = packInt8(values, k, n, asInt8(place));
    });
    return { pairs: pairFormOf(values, n), panels, facts: () => facts! };
  }

  #int4(name: string, multiplier: string, k: number, n: number): PackedWeight {
    const small = unpackInt4(this.#typed(name, 'int4').data, k * n);
    const multipliers = this.#typed(multiplier, 'uint8').data;
    const values = expandInt4(small, multipliers, k, n);
    const panels = Math.ceil(n / PANEL);
    const steps = Math.ceil(k / 4);
    const address = this.#image.add(packMultipliers(multipliers, k, n));
    const facts = packInt8(values, k, n, new Int8Array(int8PanelBytes(k, n)));
    return {
      pairs: pairFormOf(values, n),
      panels: this.#image.addInt4(packInt4Weights(small, k, n), int8PanelBytes(k, n), [
        address,
        panels,
        steps,
      ]),
      facts: () => facts,
    };
  }

  #bias(name: string, n: number): number {
    if (name) return this.vector(name);
    return this.#once('', `zeros ${n}`, () => this.#image.add(new Float32Array(roundUp(n, PANEL))));
  }

  #floats(name: string): Float32Array {
    return typedData(this.#typed(name, 'float32'));
  }

  #matrixDims(name: string): [number, number] {
    const { dims } = this.tensor(name);
    if (dims.length !== 2) throw wrong(name, `has ${dims.length} dimensions instead of 2`);
    return [dims[0]!, dims[1]!];
  }

  #typed<D extends DenseTensor['dtype']>(name: string, dtype: D): DenseTensor & { readonly dtype: D } {
    const tensor = this.tensor(name);
    if (tensor.dtype !== dtype) throw wrong(name, `has type ${tensor.dtype} instead of ${dtype}`);
    return { ...tensor, dtype };
  }

  #once<T>(name: string, use: string, make: () => T): T {
    const key = `${use}\n${name}`;
    if (!this.#cache.has(key)) this.#cache.set(key, make());
    return this.#cache.get(key) as T;
  }
}

interface PackedWeight {
  readonly pairs: PairForm;
  readonly panels: number;
  /** Known once the panels are packed. */
  readonly facts: () => Int8PanelFacts;
}

function copyLater(make: () => Int32Array | Uint32Array): Fill {
  return (place) => {
    const { buffer, byteOffset, byteLength } = make();
    place.set(new Uint8Array(buffer, byteOffset, byteLength));
  };
}

function asInt8({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): Int8Array {
  return new Int8Array(buffer, byteOffset, byteLength);
}

/** A table's rows, each padded to 8 columns. */
function paddedTable(
  name: string,
  tensor: DenseTensor,
): { storage: Table['storage']; data: ArrayBufferView } {
  const [rows = 0, columns = 0] = tensor.dims;
  const width = roundUp(columns, PANEL);
  switch (tensor.dtype) {
    case 'float32':
      if (width === columns) return { storage: 'f32', data: tensor.data };
      return { storage: 'f32', data: padRows(typedData(tensor) as Float32Array, columns, width) };
    case 'int8':
      return { storage: 'int8', data: padRows(typedData(tensor) as Int8Array, columns, width) };
    case 'int4': {
      if (width === columns) return { storage: 'int4', data: tensor.data };
      const values = unpackInt4(tensor.data, rows * columns);
      return { storage: 'int4', data: packInt4(padRows(values, columns, width)) };
    }
    default:
      throw wrong(name, `has type ${tensor.dtype}; tables are float32, int8 or int4`);
  }
}

function wrong(name: string, what: string): CompilerError {
  return new CompilerError('unsupported', `The constant "${name}" ${what}.`, {
    at: { value: name },
    hint: 'Run the compact recipe before the edge target, or use the onnx target.',
  });
}
