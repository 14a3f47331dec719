import type {
  Activation,
  BinaryOperator,
  ByteGrid,
  ByteWindowSpec,
  PairForm,
  GatherRowsSpec,
  IndexMap,
  Reduction,
  SuppressBoxesSpec,
  WindowSpec,
} from '../kernels/index.ts';
import type { CopyLoops } from './tensor-view.ts';
import type { Value } from './value.ts';

/** Address of a constant in the program's memory. */
export type Address = number;

export interface QuantizedWeight {
  readonly kind: 'int8';
  readonly k: number;
  readonly n: number;
  readonly pairs: PairForm;
  /** Of form `fused`: see pair-flags.ts. */
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
  /** A value where the matrix is computed: keys or values of a single head, which are packed so. */
  readonly panels: Address | Value;
  readonly bias: Address;
}

/** Weights of a convolution over bytes. */
export interface ConvWeight {
  readonly pairs: PairForm;
  /** Whether no result can be too large to be rounded before it is clamped (see requantize.ts). */
  readonly isRoundable: boolean;
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
  | {
      readonly op: 'binary';
      readonly operator: BinaryOperator;
      readonly a: Operand;
      readonly b: Operand;
      readonly output: Value;
    }
  | {
      readonly op: 'lstm';
      /** x·W + b of every step. */
      readonly gates: Value;
      /** Of h·R: panels of floats, or a matrix of int8 without a bias. */
      readonly weights: Address | QuantizedWeight;
      /** The states before the first step, one row each. */
      readonly h: Operand;
      readonly c: Operand;
      readonly reverse: boolean;
      readonly batch: number;
      /** The hidden state after every step, the sequences of the batch side by side. */
      readonly output: Value;
      /** The cell state after the last step. */
      readonly cell: Value;
    }
  | {
      readonly op: 'gru';
      /** x·W + b of every step. */
      readonly gates: Value;
      /** Panels of R. */
      readonly weights: Address;
      /** Of the candidate's product of the state; undefined: the reset gate takes the state. */
      readonly bias: Address | undefined;
      /** The states before the first step, one row each. */
      readonly h: Operand;
      readonly reverse: boolean;
      readonly batch: number;
      /** The state after every step, the sequences of the batch side by side. */
      readonly output: Value;
    }
  | { readonly op: 'softmax'; readonly x: Value; readonly isLog: boolean; readonly output: Value }
  | { readonly op: 'pick-row'; readonly x: Value; readonly row: number; readonly output: Value }
  | MapStep
  | SelectionStep;

/** What a step reads row by row; one row is repeated for all. */
export type Operand =
  | { readonly value: Value }
  /** Rows of floats, padded as those of a value are. */
  | { readonly address: Address; readonly rows: number };

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
      /** Each group of channels has weights of its own, one behind the other; with a window only. */
      readonly groups: number;
      /** Undefined: 1×1 with stride 1, pixel by pixel. */
      readonly window: ByteWindowSpec | undefined;
      /** Whether modes i16 and pairs take the products of tiles of 2×4 pixels (winograd.ts). */
      readonly isWinograd: boolean;
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
  | { readonly op: 'quantize-rows'; readonly x: Value; readonly grid: ByteGrid; readonly output: Value }
  | {
      readonly op: 'binary-bytes';
      readonly operator: 'add' | 'mul';
      readonly a: Value;
      /** One row is repeated. */
      readonly b: Value;
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
  | {
      readonly op: 'average-pool';
      readonly x: Value;
      readonly window: WindowSpec;
      readonly countsPadding: boolean;
      /** Undefined: the map is float32. */
      readonly grids: readonly [ByteGrid, ByteGrid] | undefined;
      readonly output: Value;
    }
  | {
      readonly op: 'copy';
      readonly x: Value;
      readonly loops: CopyLoops;
      /** Where each row begins in x, int32 bytes; undefined: where the loops say. */
      readonly list: Address | undefined;
      /** Of bytes: what each of the 256 becomes; undefined when that is itself. */
      readonly table: Address | undefined;
      /** Whether the rest of the output has been filled before. */
      readonly isInFilled: boolean;
      readonly output: Value;
    }
  /** A constant of float32, in rows that are padded as those of a value are. */
  | { readonly op: 'load'; readonly address: Address; readonly output: Value }
  | {
      /** Linear over floats or bytes, cubic over floats. */
      readonly op: 'resize-linear' | 'resize-cubic';
      readonly x: Value;
      /** Taps for each row and each column of the output. */
      readonly rowTaps: Address;
      readonly columnTaps: Address;
      readonly outWidth: number;
      readonly output: Value;
    }
  | { readonly op: 'fill'; readonly value: number; readonly output: Value }
  | { readonly op: 'dequantize'; readonly x: Value; readonly grid: ByteGrid; readonly output: Value }
  | {
      readonly op: 'conv-f32';
      readonly x: Value;
      /** Each group of channels has weights of its own, one behind the other. */
      readonly groups: number;
      readonly weights: Address;
      readonly bias: Address;
      readonly window: WindowSpec;
      /** Whether products are those of tiles of 2×4 pixels (winograd.ts). */
      readonly isWinograd: boolean;
      readonly activation: Activation;
      readonly output: Value;
    }
  | {
      readonly op: 'depthwise-f32';
      readonly x: Value;
      readonly weights: Address;
      readonly bias: Address;
      readonly window: WindowSpec;
      readonly activation: Activation;
      readonly output: Value;
    }
  | {
      readonly op: 'reduce-rows';
      /** As many rows for each row of the output, one behind the other. */
      readonly x: Value;
      readonly reduction: Reduction;
      readonly output: Value;
    }
  | { readonly op: 'max-pool-rows'; readonly x: Value; readonly window: WindowSpec; readonly output: Value };

/** Steps that find indices or follow them. */
export type SelectionStep =
  | {
      readonly op: 'arg-rows';
      readonly x: Value;
      /** The column of the largest value, or of the smallest; of equal ones the first, or the last. */
      readonly largest: boolean;
      readonly last: boolean;
      readonly output: Value;
    }
  | {
      readonly op: 'top-k';
      readonly x: Value;
      readonly largest: boolean;
      /** Values, and the columns that they come from. */
      readonly output: Value;
      readonly indices: Value;
    }
  | {
      readonly op: 'suppress-boxes';
      readonly boxes: Value;
      readonly scores: Value;
      readonly spec: Omit<SuppressBoxesSpec, 'boxStride' | 'scoreStride'>;
      /** Room for all boxes that can be kept, and how many of them were. */
      readonly output: Value;
      readonly count: Value;
    }
  | {
      readonly op: 'gather-rows';
      readonly x: Value;
      /** One index for each of the axes that number the rows of x. */
      readonly indices: Value;
      readonly axes: GatherRowsSpec['axes'];
      readonly output: Value;
    }
  | {
      readonly op: 'gather-elements';
      readonly x: Value;
      readonly indices: Value;
      /** Rows of x, and of the indices, that belong together. */
      readonly extent: number;
      readonly count: number;
      readonly output: Value;
    }
  | {
      readonly op: 'map-indices';
      readonly x: Value;
      readonly map: IndexMap;
      readonly output: Value;
    };

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
  /** How many positions of the first dimension there are in a run; undefined: all. */
  readonly count?: Value | undefined;
}

/** What lowering makes of a model: steps in execution order, no addresses for values yet. */
export interface Program {
  readonly maxSequence: number;
  readonly inputs: readonly ProgramInput[];
  readonly outputs: readonly ProgramOutput[];
  readonly steps: readonly Step[];
}
