import type { Activation, ByteGrid, ByteWindowSpec, WindowSpec } from './kernels/index.ts';

/** How many rows a value has: one per token, or a fixed number (pixels of a map). */
export type Rows = 'sequence' | number;

/**
 * - `float`: float32, row-major, columns padded to 8.
 * - `quantized`: bytes, columns padded to 16, with a float32 scale and an int32 zero per row.
 * - `keys`, `values`: float32 in the attention kernel's panel layouts.
 * - `key-bias`: what an attention adds to the score of each key.
 * - `int`: one int32 per row (ids, token types, mask).
 * - `image`: dense planes of float32 [channels][pixels]; one row.
 * - `bytes`: a map of uint8, a row per pixel, channels at a stride of `bytesStride`.
 */
export type ValueKind = 'float' | 'quantized' | 'keys' | 'values' | 'key-bias' | 'int' | 'image' | 'bytes';

/** A buffer of the program; compared by identity. */
export interface Value {
  readonly name: string;
  readonly kind: ValueKind;
  readonly rows: Rows;
  readonly columns: number;
  /** Columns behind the last one that its kernel writes as well. Default 0. */
  readonly overhang?: number;
  /** Of a map of bytes: from pixel to pixel, where it is not the usual (see bytesStride). */
  readonly pixelBytes?: number;
  /** Of a map or an image: pixels in a row. */
  readonly width?: number;
}

/** Address of a constant in the program's memory. */
export type Address = number;

export interface QuantizedWeight {
  readonly kind: 'int8';
  readonly k: number;
  readonly n: number;
  /** Bits that the int8 kernels see: 7 allows the `pairs` mode. */
  readonly bits: 7 | 8;
  /** Of 7-bit weights: see pair-flags.ts. */
  readonly pairFlags: Address;
  readonly panels: Address;
  readonly scale: Address;
  readonly columnSums: Address;
  readonly bias: Address;
}

export interface FloatWeight {
  readonly kind: 'float32';
  readonly k: number;
  readonly n: number;
  readonly panels: Address;
  readonly bias: Address;
}

/** Weights of a convolution over bytes. */
export interface ConvWeight {
  readonly bits: 7 | 8;
  readonly pairFlags: Address;
  readonly panels: Address;
  /** int32 per output channel: bias − input zero point·Σ weights. */
  readonly bias: Address;
  readonly columnSums: Address;
  /** float32 per output channel: x_scale·w_scale/y_scale. */
  readonly multiplier: Address;
}

/** An embedding table; `scale` (float32 per row) is there when the table is int8 or int4. */
export interface Table {
  readonly storage: 'f32' | 'int8' | 'int4';
  readonly rows: number;
  readonly address: Address;
  readonly scale: Address;
}

/** The activation's constant quantization, or none for dynamic per-row quantization. */
export interface StaticRange {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** One row-wise operation, or an attention. `output` and `quantized` are what it writes. */
export type Step =
  | {
      readonly op: 'embed';
      readonly ids: Value;
      readonly tokenTypes: Value | undefined;
      readonly word: Table;
      readonly position: Table | undefined;
      /** Undefined: row r has position r. Otherwise RoBERTa's: ids other than this count up from it. */
      readonly paddingIndex: number | undefined;
      readonly tokenType: Table | undefined;
      readonly norm: Norm;
      readonly output: Value;
      quantized: Quantized | undefined;
    }
  | {
      readonly op: 'layer-norm';
      readonly x: Value;
      /** Added to x first. */
      readonly skip: Value | undefined;
      readonly norm: Norm;
      readonly output: Value;
      quantized: Quantized | undefined;
    }
  | { readonly op: 'quantize'; readonly x: Value; readonly quantized: Quantized }
  | {
      readonly op: 'linear';
      readonly x: Value;
      readonly weight: QuantizedWeight | FloatWeight;
      readonly activation: Activation;
      readonly output: Value;
    }
  | { readonly op: 'key-bias'; readonly mask: Value | undefined; readonly output: Value }
  | {
      readonly op: 'pack-keys' | 'pack-values';
      readonly x: Value;
      readonly heads: number;
      readonly output: Value;
    }
  | {
      readonly op: 'attention';
      readonly query: Value;
      readonly keys: Value;
      readonly values: Value;
      readonly keyBias: Value;
      readonly heads: number;
      readonly scale: number;
      readonly output: Value;
    }
  | {
      readonly op: 'activation';
      readonly x: Value;
      readonly activation: Exclude<Activation, 'none'>;
      readonly output: Value;
    }
  | { readonly op: 'add'; readonly x: Value; readonly y: Value; readonly output: Value }
  | { readonly op: 'softmax'; readonly x: Value; readonly output: Value }
  | { readonly op: 'pick-row'; readonly x: Value; readonly row: number; readonly output: Value }
  | MapStep;

/** Steps over maps, of bytes or of float32. A row is a pixel. */
export type MapStep =
  | {
      readonly op: 'quantize-image';
      readonly x: Value;
      readonly grid: ByteGrid;
      readonly output: Value;
    }
  | {
      readonly op: 'conv';
      readonly x: Value;
      readonly weight: ConvWeight;
      /** Undefined: 1×1 with stride 1, pixel by pixel. */
      readonly window: ByteWindowSpec | undefined;
      /** Undefined: the output is float32. */
      readonly zeroPoint: number | undefined;
      readonly output: Value;
    }
  | {
      readonly op: 'depthwise';
      readonly x: Value;
      readonly weight: ConvWeight;
      readonly window: ByteWindowSpec;
      readonly zeroPoint: number;
      readonly output: Value;
    }
  | {
      readonly op: 'add-bytes';
      readonly x: Value;
      readonly y: Value;
      readonly grids: readonly [ByteGrid, ByteGrid, ByteGrid];
      readonly output: Value;
    }
  | {
      readonly op: 'average';
      readonly x: Value;
      readonly grids: readonly [ByteGrid, ByteGrid];
      readonly output: Value;
    }
  | {
      readonly op: 'max-pool';
      readonly x: Value;
      readonly window: WindowSpec;
      readonly output: Value;
    }
  | { readonly op: 'concat'; readonly parts: readonly ConcatPart[]; readonly output: Value }
  | { readonly op: 'dequantize'; readonly x: Value; readonly grid: ByteGrid; readonly output: Value }
  | { readonly op: 'image-rows'; readonly x: Value; readonly output: Value }
  | {
      readonly op: 'conv-f32' | 'depthwise-f32';
      readonly x: Value;
      readonly weights: Address;
      readonly bias: Address;
      readonly window: WindowSpec;
      readonly activation: Activation;
      readonly output: Value;
    }
  | { readonly op: 'average-rows'; readonly x: Value; readonly output: Value }
  | { readonly op: 'max-pool-rows'; readonly x: Value; readonly window: WindowSpec; readonly output: Value };

/** Channels that go side by side into a map of bytes or of floats. */
export interface ConcatPart {
  readonly x: Value;
  /** Of bytes: what each of the 256 becomes on the output's grid; undefined when that is itself. */
  readonly table: Address | undefined;
}

export interface Norm {
  readonly gamma: Address;
  readonly beta: Address;
  readonly epsilon: number;
}

export interface Quantized {
  readonly value: Value;
  /** Undefined: the range of each row is found at run time. */
  readonly range: StaticRange | undefined;
}

export interface ProgramInput {
  readonly name: string;
  readonly value: Value;
  readonly shape: readonly (number | 'sequence')[];
  readonly default: 'ones' | 'zeros' | undefined;
}

export interface ProgramOutput {
  readonly name: string;
  readonly value: Value;
  readonly shape: readonly (number | 'sequence')[];
}

/** What lowering makes of a model: steps in execution order, no addresses for values yet. */
export interface Program {
  readonly maxSequence: number;
  readonly inputs: readonly ProgramInput[];
  readonly outputs: readonly ProgramOutput[];
  readonly steps: readonly Step[];
}

/** Values whose row r the step reads to make its own row r. */
export function rowReads(step: Step): Value[] {
  switch (step.op) {
    case 'embed':
      // Counting positions looks at all ids before a row; ids are inputs, so they are there from the start.
      return [step.ids, step.tokenTypes].filter((value) => value !== undefined);
    case 'layer-norm':
      return step.skip ? [step.x, step.skip] : [step.x];
    case 'add':
    case 'add-bytes':
      return [step.x, step.y];
    case 'conv':
      return step.window ? [] : [step.x];
    case 'concat':
      return step.parts.map(({ x }) => x);
    case 'attention':
      return [step.query];
    case 'pick-row':
    case 'key-bias':
    case 'quantize-image':
    case 'depthwise':
    case 'max-pool':
    case 'average':
    case 'image-rows':
    case 'conv-f32':
    case 'depthwise-f32':
    case 'average-rows':
    case 'max-pool-rows':
      return [];
    default:
      return [step.x];
  }
}

/** Values of which the step may read any row. */
export function wholeReads(step: Step): Value[] {
  switch (step.op) {
    case 'pick-row':
    case 'quantize-image':
    case 'depthwise':
    case 'max-pool':
    case 'average':
    case 'image-rows':
    case 'conv-f32':
    case 'depthwise-f32':
    case 'average-rows':
    case 'max-pool-rows':
      return [step.x];
    case 'conv':
      return step.window ? [step.x] : [];
    case 'key-bias':
      return step.mask ? [step.mask] : [];
    case 'attention':
      return [step.keys, step.values, step.keyBias];
    default:
      return [];
  }
}

export function writes(step: Step): Value[] {
  switch (step.op) {
    case 'quantize':
      return [step.quantized.value];
    case 'embed':
    case 'layer-norm':
      return step.quantized ? [step.output, step.quantized.value] : [step.output];
    default:
      return [step.output];
  }
}

/** Rows that the step computes; a step that is not row by row counts as one row, which one thread computes. */
export function stepRows(step: Step): Rows {
  if (step.op === 'key-bias') return 1;
  return step.op === 'quantize' ? step.quantized.value.rows : step.output.rows;
}

/** Blocks of a step's rows start at multiples of this. */
export function rowUnit(step: Step): number {
  if (step.op === 'depthwise' || step.op === 'depthwise-f32') return step.window.outWidth;
  return step.op === 'quantize-image' ? 4 : 1;
}

const MAP_OPS: ReadonlySet<string> = new Set<MapStep['op']>([
  'quantize-image',
  'conv',
  'depthwise',
  'add-bytes',
  'average',
  'max-pool',
  'concat',
  'dequantize',
  'image-rows',
  'conv-f32',
  'depthwise-f32',
  'average-rows',
  'max-pool-rows',
]);

export function isMapStep(step: Step): step is MapStep {
  return MAP_OPS.has(step.op);
}
