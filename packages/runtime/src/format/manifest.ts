import type { AudioInput } from './audio/audio-input.ts';
import type { Streaming } from './audio/streaming.ts';
import type { DetectionHead } from './image/detection-head.ts';
import type { ImagePreprocessing } from './image/preprocessing.ts';

/** Name of the manifest inside a package. */
export const MANIFEST_FILE = 'edgewise.json';
export const FORMAT = 'edgewise';
export const FORMAT_VERSION = 1;

/** With `multiLabel` a label is taken to hold where its probability is above. */
export const LABEL_THRESHOLD = 0.5;

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** `edgewise.json`; docs/package-format.md is the specification. Fields that are not listed are ignored. */
export interface Manifest {
  readonly format: typeof FORMAT;
  readonly formatVersion: typeof FORMAT_VERSION;
  readonly name: string;
  /** One of the tasks of docs/package-format.md, or a name of your own for packages used through a session. */
  readonly task: string;
  readonly model: EdgeModel | OnnxModel;
  readonly tokenizer?: TokenizerFiles;
  /** Classification: label of each column of the first output. object-detection: name of each class. */
  readonly labels?: readonly string[];
  /** Classification: labels are independent (sigmoid) instead of exclusive (softmax). Default false. */
  readonly multiLabel?: boolean;
  /** feature-extraction: how token rows become one vector. Default mean over the tokens kept by the mask. */
  readonly pooling?: Pooling;
  /** Feature extraction: scale the vector to length 1. Default false. */
  readonly normalize?: boolean;
  /** Image tasks: how an image becomes the model's only input. */
  readonly preprocessing?: ImagePreprocessing;
  /** Image and audio classification: what the first output holds. Default `logits`. */
  readonly scores?: 'logits' | 'probabilities';
  /** Image and audio classification: columns before the first label's, such as a background class. Default 0. */
  readonly labelOffset?: number;
  /** object-detection: what the outputs mean. */
  readonly detection?: DetectionHead;
  /** Audio tasks: how sound becomes the model's input. */
  readonly audio?: AudioInput;
  /** voice-activity-detection: how the model is run over a stream. */
  readonly streaming?: Streaming;
  /** voice-activity-detection: probability from which a chunk is speech, between 0 and 1. Default 0.5. */
  readonly threshold?: number;
  /** Every file of the package but the manifest itself, by plain name (no folders). */
  readonly files: Readonly<Record<string, FileEntry>>;
  /** How the model was made; for people and tools, the runtime does not read it. */
  readonly recipe?: Json;
  readonly budget?: Budget;
  readonly proof?: Proof;
}

export type Pooling = 'mean' | 'cls';

export interface FileEntry {
  /** Exact size, uncompressed. */
  readonly bytes: number;
  /** Lower-case hexadecimal SHA-256. */
  readonly sha256: string;
}

export interface TokenizerFiles {
  /** Hugging Face `tokenizer.json`. */
  readonly file: string;
  /** Hugging Face `tokenizer_config.json`. */
  readonly configFile?: string;
  /** Longest input in tokens, special tokens included; texts are cut to it. */
  readonly maxLength: number;
}

/** The limits the package was made for. */
export interface Budget {
  readonly downloadBytes?: number;
  readonly latencyMs?: { readonly p50?: number; readonly p95?: number };
  readonly peakMemoryBytes?: number;
  /** Largest loss of the metric against the original, in the metric's unit (0.003 = 0.3 points of accuracy). */
  readonly drop?: number;
}

/** What was measured on the package, in the units of `Budget`. */
export interface Proof {
  /** What it was measured on: CPU, browser or Node version. */
  readonly machine?: string;
  readonly downloadBytes?: number;
  readonly latencyMs?: { readonly p50: number; readonly p95: number };
  readonly peakMemoryBytes?: number;
  readonly metric?: {
    readonly name: string;
    readonly value: number;
    readonly low: number;
    readonly high: number;
  };
  readonly drop?: { readonly value: number; readonly low: number; readonly high: number };
}

/** A model run by the WebAssembly program in the package. */
export interface EdgeModel {
  readonly kind: 'edge';
  readonly programs: {
    /** Program for engines with relaxed SIMD. */
    readonly relaxed: string;
    /** Program for engines with 128-bit SIMD. */
    readonly simd: string;
  };
  readonly weights: {
    readonly file: string;
    /** In the order of their offsets; neither the file ranges nor the memory ranges overlap. */
    readonly sections: readonly WeightSection[];
  };
  readonly memory: MemoryLayout;
  /** Upper bounds of the dimensions that change from run to run. */
  readonly dims: { readonly sequence?: { readonly max: number } };
  readonly inputs: readonly EdgeInput[];
  readonly outputs: readonly EdgeOutput[];
  /**
   * Multiply-accumulates per token, estimated at the largest sequence. The runtime uses threads for a run when
   * this times the sequence is large enough to pay for waking them. Left out: always one thread.
   */
  readonly macsPerToken?: number;
}

export type WeightSection = RawSection | Int4Section;

interface SectionPlace {
  /** First byte in the weights file. */
  readonly offset: number;
  /** Size in the weights file. */
  readonly bytes: number;
  /** First byte in the program's memory. */
  readonly address: number;
}

/** Bytes that are copied as they are. */
export interface RawSection extends SectionPlace {
  readonly encoding: 'raw';
}

/**
 * Signed 4-bit values, two to a byte, the first in the low half; `bytes` = ⌈count/2⌉. They fill
 * [address, address + count) with one byte each: the runtime copies the packed bytes to the end of that range and,
 * when all sections are loaded, calls `expand(address, count, ...arguments)` in the manifest's order.
 */
export interface Int4Section extends SectionPlace {
  readonly encoding: 'int4';
  readonly count: number;
  /** Further i32 arguments of the program's `expand`, e.g. where the multipliers are. */
  readonly arguments?: readonly number[];
}

/** `[constants and weights][arena][scratch of thread 0][scratch of thread 1]…` */
export interface MemoryLayout {
  /** All of it for one thread; thread t > 0 adds `perThreadBytes`. */
  readonly bytes: number;
  readonly perThreadBytes: number;
  /** 1: the program has no barriers and must run on one thread. */
  readonly maxThreads: number;
  /** Constants and weights: every section lies in [0, weightsBytes). */
  readonly weightsBytes: number;
  readonly arenaBytes: number;
}

export type EdgeDataType = 'int32' | 'float32';

/** A number, or the name of a dimension in `dims`. */
export type EdgeDim = number | 'sequence';

export interface EdgeInput {
  readonly name: string;
  readonly dtype: EdgeDataType;
  readonly shape: readonly EdgeDim[];
  /** Where the runtime writes it, dense, row-major. A multiple of 4. */
  readonly address: number;
  /** What the runtime writes when the caller leaves the input out. Without it the input is required. */
  readonly default?: 'ones' | 'zeros';
  /** Smallest and largest value that the program can take, e.g. `[0, vocabulary - 1]`; the runtime refuses others. */
  readonly range?: readonly [number, number];
}

export interface EdgeOutput {
  readonly name: string;
  readonly dtype: EdgeDataType;
  readonly shape: readonly EdgeDim[];
  /** A multiple of 4. */
  readonly address: number;
  /** Elements from the start of one row (last axis) to the next; at least the length of a row. */
  readonly rowStride: number;
  /** Where a run writes how many positions the first axis has, at most those of `shape` (int32). Left out: all. */
  readonly countAddress?: number;
}

/** A model run by onnxruntime, an optional peer dependency. */
export interface OnnxModel {
  readonly kind: 'onnx';
  readonly file: string;
}
