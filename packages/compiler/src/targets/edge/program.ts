/** How many rows a value has: one per token, or a fixed number. */
export type Rows = 'sequence' | number;

/**
 * - `float`: float32, row-major, columns padded to 8.
 * - `quantized`: bytes, columns padded to 16, with a float32 scale and an int32 zero per row.
 * - `keys`, `values`: float32 in the attention kernel's panel layouts.
 * - `key-bias`: what an attention adds to the score of each key.
 * - `int`: one int32 per row (ids, token types, mask).
 */
export type ValueKind = 'float' | 'quantized' | 'keys' | 'values' | 'key-bias' | 'int';

/** A buffer of the program; compared by identity. */
export interface Value {
  readonly name: string;
  readonly kind: ValueKind;
  readonly rows: Rows;
  readonly columns: number;
  /** Columns behind the last one that its kernel writes as well. Default 0. */
  readonly overhang?: number;
}

export type Activation = 'none' | 'relu' | 'gelu' | 'gelu_tanh' | 'tanh' | 'sigmoid' | 'silu';

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
  | { readonly op: 'pick-row'; readonly x: Value; readonly row: number; readonly output: Value };

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
      return [step.x, step.y];
    case 'attention':
      return [step.query];
    case 'pick-row':
    case 'key-bias':
      return [];
    default:
      return [step.x];
  }
}

/** Values of which the step may read any row. */
export function wholeReads(step: Step): Value[] {
  if (step.op === 'pick-row') return [step.x];
  if (step.op === 'key-bias') return step.mask ? [step.mask] : [];
  return step.op === 'attention' ? [step.keys, step.values, step.keyBias] : [];
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
