/** The part of onnxruntime-common that is used here; both packages have it. */
export interface OnnxRuntime {
  readonly InferenceSession: {
    create(model: Uint8Array, options?: OnnxSessionOptions): Promise<OnnxInferenceSession>;
  };
  readonly Tensor: new (
    type: 'int64' | 'int32' | 'float32' | 'bool',
    data: BigInt64Array | Int32Array | Float32Array | Uint8Array,
    dims: readonly number[],
  ) => OnnxTensor;
}

export interface OnnxSessionOptions {
  readonly intraOpNumThreads?: number;
  /** Settings by their native names, `session.x64quantprecision` as `{ session: { x64quantprecision } }`. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

export interface OnnxTensor {
  readonly type: string;
  readonly data: unknown;
  readonly dims: readonly number[];
}

export interface OnnxValueMetadata {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type?: string;
  /** Symbolic dimensions are texts. */
  readonly shape?: readonly (number | string)[];
}

export interface OnnxInferenceSession {
  readonly inputMetadata: readonly OnnxValueMetadata[];
  readonly outputMetadata: readonly OnnxValueMetadata[];
  run(feeds: Record<string, OnnxTensor>): Promise<Readonly<Record<string, OnnxTensor>>>;
  release(): Promise<void>;
}
